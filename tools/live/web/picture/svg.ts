const NAMESPACE = "http://www.w3.org/2000/svg";

/** @returns A new SVG element. Children that are strings become text, never markup. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number> = {},
  ...children: (SVGElement | string)[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(NAMESPACE, name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function setAttributes(element: SVGElement, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/** A place in the picture, in the units of its view box. */
export interface Point {
  x: number;
  y: number;
}

/** Puts an element's origin at a place. */
export function put(element: SVGElement, { x, y }: Point): void {
  element.style.transform = translate({ x, y });
}

export const translate = ({ x, y }: Point): string => `translate(${x}px, ${y}px)`;
