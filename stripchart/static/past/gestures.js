// Moving the view by wheel, drag, pinch, double click and keys, on a chart.

const WHEEL_STEP = 1.0018; // per pixel of the wheel
const LINE_PX = 33; // that a wheel of lines or pages counts for
const DRAG_PX = 4; // a pointer that moves less has clicked
const KEY_PAN = 0.1;
const KEY_ZOOM = 1.6;

// `chart` tells places by placeAt(clientX); `actions` are point(place), tag(from, to), mark(from, to), and click(place) where that is
// more than to point. Where a page is to scroll over it, the wheel needs a key (`wheelNeedsKey`).
export class Gestures {
  constructor(element, chart, view, actions, { wheelNeedsKey = false, hasKeys = true } = {}) {
    this.wheelNeedsKey = wheelNeedsKey;
    this.element = element;
    this.chart = chart;
    this.view = view;
    this.actions = actions;
    this.pointers = new Map(); // by id: clientX
    this.drag = null;
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, (event) => this.up(event));
    // A finger that is lifted leaves the cursor where it was.
    element.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.pointers.size || actions.point(null));
    if (hasKeys) {
      element.addEventListener("dblclick", (event) => this.view.zoom(event.shiftKey ? 4 : 1 / 4, this.inside(event.clientX)));
      element.addEventListener("keydown", (event) => this.key(event));
    }
    element.addEventListener("blur", () => actions.point(null));
  }

  inside(clientX) {
    return Math.min(1, Math.max(0, this.chart.placeAt(clientX)));
  }

  wheel(event) {
    const scale = event.deltaMode ? LINE_PX : 1;
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (this.wheelNeedsKey && !event.ctrlKey && !isSideways) return;
    event.preventDefault();
    const by = (isSideways ? event.deltaX || event.deltaY : event.deltaY) * scale;
    const width = this.element.clientWidth;
    if (isSideways) this.view.pan(by / width);
    else this.view.zoom(WHEEL_STEP ** Math.min(600, Math.max(-600, by)), this.inside(event.clientX));
    this.actions.point(this.chart.placeAt(event.clientX));
  }

  down(event) {
    if (event.button > 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.clientX);
    const { start, end } = this.view;
    const place = this.chart.placeAt(event.clientX);
    this.drag = { from: event.clientX, place, start, end, isTag: event.shiftKey, hasMoved: false };
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) {
      this.actions.point(this.chart.placeAt(event.clientX));
      return;
    }
    if (this.pointers.size === 2) this.pinch(event, before);
    else if (this.pointers.size === 1) this.dragTo(event);
    this.pointers.set(event.pointerId, event.clientX);
  }

  dragTo(event) {
    const { drag, view, actions } = this;
    if (!drag || (!drag.hasMoved && Math.abs(event.clientX - drag.from) < DRAG_PX)) return;
    drag.hasMoved = true;
    const place = this.chart.placeAt(event.clientX);
    if (drag.isTag) actions.mark(drag.place, this.inside(event.clientX));
    else {
      const by = BigInt(Math.round(Number(drag.end - drag.start) * (drag.place - place)));
      view.show(drag.start + by, drag.end + by, "pan");
    }
    actions.point(place);
  }

  pinch(event, before) {
    const [id, other] = [...this.pointers].find(([pointer]) => pointer !== event.pointerId) ?? [];
    if (id === undefined) return;
    const [was, is] = [Math.max(10, Math.abs(before - other)), Math.max(10, Math.abs(event.clientX - other))];
    const width = this.element.clientWidth;
    this.view.zoom(was / is, this.inside((before + other) / 2));
    this.view.pan(-(event.clientX - before) / 2 / width);
    this.drag = null;
  }

  up(event) {
    const { drag, actions } = this;
    this.pointers.delete(event.pointerId);
    this.drag = null;
    if (drag?.isTag && drag.hasMoved) actions.tag(drag.place, this.inside(event.clientX));
    else if (drag && !drag.hasMoved) (actions.click ?? actions.point)(this.chart.placeAt(event.clientX));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { view, actions } = this;
    const keys = {
      ArrowLeft: () => (event.shiftKey ? actions.step(-1) : view.pan(-KEY_PAN)),
      ArrowRight: () => (event.shiftKey ? actions.step(1) : view.pan(KEY_PAN)),
      PageUp: () => view.pan(-1),
      PageDown: () => view.pan(1),
      ArrowUp: () => view.zoom(1 / KEY_ZOOM),
      ArrowDown: () => view.zoom(KEY_ZOOM),
      "+": () => view.zoom(1 / KEY_ZOOM),
      "=": () => view.zoom(1 / KEY_ZOOM),
      "-": () => view.zoom(KEY_ZOOM),
      Home: () => view.goTo(false),
      End: () => view.goTo(true),
      0: () => view.showAll(),
      t: () => actions.tag(0, 1),
      Escape: () => actions.point(null),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}
