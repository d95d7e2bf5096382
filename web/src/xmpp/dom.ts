// Between the DOM (the browser's, or a worker's own) and plain data.
import { $iq, $pres } from "strophe.js";
import { element, type Element as Xml } from "../core/element";
import { xml_text } from "../core/text";

const DEEPEST = 32; // nothing of ours is nested more than a few levels
const [ELEMENT, TEXT, CDATA] = [1, 3, 4]; // kinds of nodes; a worker has no Node

export function from_dom(dom: Element, depth = 0): Xml {
  const attrs: Record<string, string> = {};
  for (const attribute of Array.from(dom.attributes)) if (!attribute.name.startsWith("xmlns")) attrs[attribute.localName] = attribute.value;
  const children: Xml[] = [];
  let text = "";
  for (const node of Array.from(dom.childNodes)) {
    if (node.nodeType === TEXT || node.nodeType === CDATA) text += node.nodeValue ?? "";
    if (node.nodeType === ELEMENT && depth < DEEPEST) children.push(from_dom(node as Element, depth + 1));
  }
  return element(dom.localName, dom.namespaceURI ?? "", attrs, children, text);
}

type Builder = ReturnType<typeof $iq>;

function add(builder: Builder, xml: Xml): void {
  const attrs: Record<string, string> = { xmlns: xml.ns };
  for (const [name, value] of Object.entries(xml.attrs)) attrs[name] = xml_text(value);
  builder.c(xml.name, attrs);
  if (xml.text !== "") builder.t(xml_text(xml.text));
  for (const one of xml.children) add(builder, one);
  builder.up();
}

export function iq(attrs: Record<string, string>, payload?: Xml): Builder {
  const builder = $iq(attrs);
  if (payload) add(builder, payload);
  return builder;
}

export function presence(attrs: Record<string, string> = {}): Builder {
  return $pres(attrs);
}
