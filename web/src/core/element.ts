// A piece of XML as plain data: what the core reads and writes instead of the browser's DOM.

export interface Element {
  readonly name: string; // local name
  readonly ns: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string; // of this element itself
}

/** An element of the namespace `ns`; children of another namespace say so themselves. */
export function element(
  name: string,
  ns: string,
  attrs: Readonly<Record<string, string | undefined>> = {},
  children: readonly Element[] = [],
  text = "",
): Element {
  const given: Record<string, string> = {};
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) given[key] = value;
  return { name, ns, attrs: given, children, text };
}

export function child(parent: Element, name: string, ns = parent.ns): Element | undefined {
  return parent.children.find((one) => one.name === name && one.ns === ns);
}

export function children(parent: Element, name: string, ns = parent.ns): readonly Element[] {
  return parent.children.filter((one) => one.name === name && one.ns === ns);
}

/** The attribute, or nothing where it is absent or empty. */
export function attr(of: Element | undefined, name: string): string | undefined {
  const value = of?.attrs[name];
  return value === undefined || value === "" ? undefined : value;
}
