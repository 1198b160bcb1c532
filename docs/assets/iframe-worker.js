// Search from files: browsers start no worker from a file, so a hidden frame stands in for it.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #loaded;
    #inside;

    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.#inside = frame.contentWindow;
      // What the script inside says goes out; what it loads comes one after the other.
      this.#inside.postMessage = (data) => {
        this.dispatchEvent(new MessageEvent("message", { data }));
      };
      this.#inside.importScripts = async (...addresses) => {
        for (const each of addresses) {
          await this.#load(new URL(each, address).href);
        }
      };
      this.#loaded = this.#load(address);
    }

    #load(address) {
      return new Promise((resolve, reject) => {
        const script = this.#inside.document.createElement("script");
        script.src = address;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`cannot load ${address}`));
        this.#inside.document.head.append(script);
      });
    }

    async postMessage(data) {
      await this.#loaded;
      this.#inside.dispatchEvent(new MessageEvent("message", { data }));
    }

    set onmessage(heard) {
      this.addEventListener("message", heard);
    }

    terminate() {
      this.#inside.frameElement.remove();
    }
  };
}
