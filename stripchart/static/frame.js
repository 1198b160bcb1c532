// The binary frame of the live protocol, version 2 (docs/live-protocol.md): its reader. Arrays are views, not copies.

export const VERSION = 2;
export const KIND_TIMES = 1;
export const KIND_FLOAT64 = 2;
export const KIND_FLOAT32 = 3;
export const KIND_AXIS = 4;
export const KIND_COLUMNS64 = 5;
export const KIND_COLUMNS32 = 6;
export const KIND_ARRAYS = 7;
export const FLAG_RESET = 1;
export const FLAG_GAP = 2;
export const FLAG_REDUCED = 4;
export const MARK_BROKEN = 1;

const MAGIC = 0x564c4453; // "SDLV", little-endian
const HEADER = 32;
const BLOCK = 16;
const AXIS = 16;

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
    if (offset + BLOCK > view.byteLength) throw new FrameError("block header is cut short");
    const block = parseBlock(view, offset);
    blocks.push(block);
    offset += BLOCK + ((block.bytes + 7) & ~7);
  }
  if (offset !== buffer.byteLength) throw new FrameError("bytes after the last block");
  return {
    tick: view.getUint32(8, true),
    merged: view.getUint32(12, true),
    serverTime: view.getFloat64(16, true),
    blocks,
  };
}

function bytesOf(kind, n, count) {
  if (kind === KIND_TIMES || kind === KIND_FLOAT64) return 8 * n;
  if (kind === KIND_FLOAT32) return 4 * n;
  if (kind === KIND_AXIS) return AXIS + 4 * n;
  if (kind === KIND_COLUMNS64) return 37 * n;
  if (kind === KIND_COLUMNS32) return 21 * n;
  if (kind === KIND_ARRAYS) return 4 * n * count;
  throw new FrameError(`block of unknown kind ${kind}`);
}

// {kind, flags, id, n, count, data}; of an axis {width, first, data: numbers from the first}; of columns data holds first,
// min, max and last one after the other, and there are counts and marks.
function parseBlock(view, offset) {
  const kind = view.getUint16(offset, true);
  const n = view.getUint32(offset + 8, true);
  const count = view.getUint32(offset + 12, true);
  const bytes = bytesOf(kind, n, count);
  const at = offset + BLOCK;
  if (at + bytes > view.byteLength) throw new FrameError("block is cut short");
  const block = { kind, flags: view.getUint16(offset + 2, true), id: view.getUint32(offset + 4, true), n, count, bytes };
  const { buffer } = view;
  if (kind === KIND_AXIS) {
    block.width = view.getFloat64(at, true);
    block.first = view.getFloat64(at + 8, true);
    block.data = new Uint32Array(buffer, at + AXIS, n);
  } else if (kind === KIND_COLUMNS64 || kind === KIND_COLUMNS32) {
    block.data = kind === KIND_COLUMNS64 ? new Float64Array(buffer, at, 4 * n) : new Float32Array(buffer, at, 4 * n);
    block.counts = new Uint32Array(buffer, at + block.data.byteLength, n);
    block.marks = new Uint8Array(buffer, at + block.data.byteLength + 4 * n, n);
  } else if (kind === KIND_FLOAT32 || kind === KIND_ARRAYS) block.data = new Float32Array(buffer, at, bytes / 4);
  else block.data = new Float64Array(buffer, at, n);
  return block;
}
