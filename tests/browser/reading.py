"""What a page must be for everybody who reads it, asked in the browser."""

from __future__ import annotations

from playwright.sync_api import Page

_CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => {
    const [r, g, b] = parse(c).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor, parts = parse(colour);
      if (parts.length === 3 || parts[3] === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = node.ownerSVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""

_UNTOLD = """() => [...document.querySelectorAll("svg")].filter(svg =>
  svg.getAttribute("role") !== "img" || !(svg.getAttribute("aria-label") || "").trim()
).map(svg => svg.outerHTML.slice(0, 200))"""

# A label that hangs over its drawing's edge is cut off.
_CUT = """() => [...document.querySelectorAll("svg text")].filter(text => {
  const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
  return own.width && (own.left < all.left - 1 || own.right > all.right + 1
    || own.top < all.top - 1 || own.bottom > all.bottom + 1);
}).map(text => text.textContent)"""


def poor_contrast(page: Page) -> list[str]:
    """Texts with less contrast than 4.5 to 1 (WCAG 2.2, 1.4.3), on what lies behind them."""
    found: list[str] = page.evaluate(_CONTRAST)
    return found


def untold(page: Page) -> list[str]:
    """Drawings without a text that tells them."""
    found: list[str] = page.evaluate(_UNTOLD)
    return found


def cut_off(page: Page) -> list[str]:
    """Labels of drawings that stand out of them."""
    found: list[str] = page.evaluate(_CUT)
    return found


def overflows(page: Page) -> int:
    """By how many pixels the page is broader than its window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(found, 0)
