// A worker has no XML of its own; strophe needs some. Must be imported before it.
import { Document, DOMImplementation, DOMParser, Element, XMLSerializer } from "@xmldom/xmldom";

// What it has none of.
for (const kind of [Element, Document]) {
  Object.defineProperty(kind.prototype, "firstElementChild", { configurable: true, get(this: { readonly children: ArrayLike<unknown> }) { return this.children[0] ?? null; } });
}

/** As a browser's: what is no XML becomes a document that says so. */
class Parser {
  parseFromString(text: string): unknown {
    try {
      return new DOMParser({ onError: (level, why) => { if (level !== "warning") throw new Error(why); } }).parseFromString(text, "text/xml");
    } catch {
      return new DOMParser().parseFromString("<parsererror xmlns='http://www.mozilla.org/newlayout/xml/parsererror.xml'>no XML</parsererror>", "text/xml");
    }
  }
}

if (typeof document === "undefined") Object.assign(globalThis, { document: { implementation: new DOMImplementation() }, DOMParser: Parser, XMLSerializer });

// What BOSH reads its answers by.
if (typeof XMLHttpRequest !== "undefined" && !("responseXML" in XMLHttpRequest.prototype)) {
  Object.defineProperty(XMLHttpRequest.prototype, "responseXML", {
    configurable: true,
    get(this: XMLHttpRequest) { return this.readyState === 4 && this.responseText !== "" ? new Parser().parseFromString(this.responseText) : null; },
  });
}
