// The keys of a chart.

import { helpOf } from "./keys.js";
import { Panel } from "./panel.js";

export default class HelpPanel extends Panel {
  constructor(chart, hand) {
    super(chart, hand, "Keys");
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  fill() {
    this.put([["Key", "What it does"], ...helpOf(this.hand)], "Keys of a chart that has the focus");
  }
}
