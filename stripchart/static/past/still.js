// The view of a chart that stands still: it does not go on with the time, the chart that does is the live one.

import { View } from "./view.js";

export class StillView extends View {
  get isLive() {
    return false;
  }

  // Go to the beginning of the recording, and on to where it turns out to be while that is not known yet.
  goToFirst() {
    this.goTo(false);
    this.isAtFirst = true;
  }

  span(first, last) {
    super.span(first, last);
    if (this.isAtFirst) this.goToFirst();
  }

  tell(why) {
    this.isAtFirst = false;
    super.tell(why);
  }
}
