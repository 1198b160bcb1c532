// Hands and keys on the charts of a page: cursor, pan and zoom, menus. Loaded when the first chart is pointed at.

export class Tools {
  constructor(feed, charts) {
    this.feed = feed;
    this.charts = charts;
  }

  attach() {}

  draw() {}
}
