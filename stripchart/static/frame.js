// The binary frame of the live protocol, version 1 (docs/live-protocol.md): its reader. Arrays are views, not copies.

export const VERSION = 1;
export const KIND_TIMES = 1;
export const KIND_FLOAT64 = 2;
export const KIND_FLOAT32 = 3;
export const FLAG_RESET = 1;
export const FLAG_GAP = 2;
export const FLAG_REDUCED = 4;

const MAGIC = 0x564c4453; // "SDLV", little-endian
const HEADER = 32;
const BLOCK = 16;

export class FrameError extends Error {}

export function parseFrame(buffer) {
  if (buffer.byteLength < HEADER) {
    throw new FrameError(`frame of ${buffer.byteLength} bytes is shorter than its header`);
  }
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new FrameError("not a frame of SpeedData");
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw new FrameError(`frame of version ${version}, this page reads version ${VERSION}`);
  const length = view.getUint32(24, true);
  if (length !== buffer.byteLength) {
    throw new FrameError(`frame of ${buffer.byteLength} bytes says it has ${length}`);
  }
  const blocks = [];
  let offset = HEADER;
  for (let i = view.getUint16(6, true); i > 0; i--) {
    const block = parseBlock(view, offset);
    blocks.push(block);
    offset += BLOCK + ((block.data.byteLength + 7) & ~7);
  }
  if (offset !== buffer.byteLength) throw new FrameError("bytes after the last block");
  return {
    tick: view.getUint32(8, true),
    merged: view.getUint32(12, true),
    serverTime: view.getFloat64(16, true),
    blocks,
  };
}

function parseBlock(view, offset) {
  if (offset + BLOCK > view.byteLength) throw new FrameError("block header is cut short");
  const kind = view.getUint16(offset, true);
  if (kind < KIND_TIMES || kind > KIND_FLOAT32) throw new FrameError(`block of unknown kind ${kind}`);
  const n = view.getUint32(offset + 8, true);
  const ArrayType = kind === KIND_FLOAT32 ? Float32Array : Float64Array;
  if (offset + BLOCK + n * ArrayType.BYTES_PER_ELEMENT > view.byteLength) throw new FrameError("block is cut short");
  return {
    kind,
    flags: view.getUint16(offset + 2, true),
    id: view.getUint32(offset + 4, true),
    count: view.getUint32(offset + 12, true),
    data: new ArrayType(view.buffer, offset + BLOCK, n),
  };
}
