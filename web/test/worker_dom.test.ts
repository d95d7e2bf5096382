import "../src/worker/dom";
import { describe, expect, it } from "vitest";
import { child } from "../src/core/element";
import { from_dom, iq } from "../src/xmpp/dom";
import { element } from "../src/core/element";

const parse = (text: string) => new DOMParser().parseFromString(text, "text/xml").documentElement;

describe("the XML of a worker", () => {
  it("reads a stanza as the browser's does", () => {
    const message = from_dom(parse("<message xmlns='jabber:client' from='cti.example.org'><call xmlns='urn:ctibridge:1' id='hq:1.0'><party number='+44'/><variable name='a'>x &lt;y&gt; <![CDATA[<z>]]></variable></call></message>"));
    const call = message.children[0];
    expect([message.name, message.ns, message.attrs["from"]]).toEqual(["message", "jabber:client", "cti.example.org"]);
    expect([call?.name, call?.ns, call?.attrs["id"]]).toEqual(["call", "urn:ctibridge:1", "hq:1.0"]);
    expect(call && child(call, "variable")?.text).toBe("x <y> <z>");
    expect(call && child(call, "party")?.attrs["number"]).toBe("+44");
  });
  it("writes what it was told, escaped", () => {
    const text = iq({ type: "set", to: "cti.example.org", id: "1" }, element("note", "urn:ctibridge:1", { id: "hq:1'\"<" }, [], "a & <b>")).toString();
    const again = from_dom(parse(text));
    expect(again.children[0]).toEqual(element("note", "urn:ctibridge:1", { id: "hq:1'\"<" }, [], "a & <b>"));
  });
  it("finds children as strophe looks for them", () => {
    const open = parse("<stream:features xmlns:stream='http://etherx.jabber.org/streams'> <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>");
    expect(open.firstElementChild?.nodeName).toBe("mechanisms");
    expect(Array.from(open.children, (one) => one.nodeName)).toEqual(["mechanisms"]);
    expect(open.getElementsByTagName("mechanism")[0]?.textContent).toBe("SCRAM-SHA-1");
  });
  it.each(["", "<a", "<a></b>", "no xml", "<a/><b/>", "<a b='1' b='2'/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])("says of %j that it is no XML, or reads no entity of its own", (text) => {
    const read = parse(text);
    expect(read.nodeName === "parsererror" || !read.textContent.includes("c")).toBe(true);
  });
});
