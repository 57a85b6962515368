"use strict";
// Measures the frames of this page and leaves its findings, as JSON, in place of the page.
const near = 1;
const name = (element) => element.tagName.toLowerCase() +
  (element.getAttribute("class") ? "." + element.getAttribute("class") : "");
const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
const scrolled = (element) => {
  for (let box = element.parentElement; box; box = box.parentElement) if (scrolls(box)) return true;
  return false;
};
const box = (element) => {
  while (getComputedStyle(element).display.startsWith("inline") && element.tagName !== "svg") {
    element = element.parentElement;
  }
  return element;
};
const measure = (frame) => {
  const page = frame.contentDocument;
  const width = page.documentElement.clientWidth;
  for (const details of page.querySelectorAll("details")) details.open = true;
  const wide = [], cut = [];
  if (page.documentElement.scrollWidth > width) wide.push("the page: " + page.documentElement.scrollWidth);
  const elements = page.body.querySelectorAll("*");
  for (const element of elements) {
    const area = element.getBoundingClientRect();
    const beyond = area.right > width + near || area.left < -near;
    if (beyond && area.width > 0 && !scrolled(element)) wide.push(name(element) + ": " + area.left + " to " + area.right);
  }
  let texts = 0;
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (!text.data.trim()) continue;
    texts += 1;
    const drawing = text.parentElement.closest("svg");
    const holder = drawing ?? box(text.parentElement);
    if (scrolls(holder) || text.parentElement.closest("pre")) continue;
    const outer = holder.getBoundingClientRect();
    const range = page.createRange();
    range.selectNodeContents(text);
    // A range knows nothing of a drawing's turned text; its element does.
    const areas = drawing ? [text.parentElement.getBoundingClientRect()] : range.getClientRects();
    for (const area of areas) {
      const beyond = area.left < outer.left - near || area.right > outer.right + near ||
        (drawing && (area.top < outer.top - near || area.bottom > outer.bottom + near));
      if (beyond && area.width > 0) cut.push(name(holder) + ": " + text.data.trim().slice(0, 60));
    }
  }
  const overlapping = [];
  for (const plot of page.querySelectorAll("svg.plot")) {
    const areas = [...plot.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    areas.forEach(([text, a], index) => {
      for (const [other, b] of areas.slice(index + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        if (!apart && a.width > 0 && b.width > 0) overlapping.push(text.textContent + " and " + other.textContent);
      }
    });
  }
  const images = [...page.images].filter((image) => !image.naturalWidth || !image.alt).map(name);
  const requests = frame.contentWindow.performance.getEntriesByType("resource")
    .map((entry) => entry.name).filter((url) => !url.startsWith("data:"));
  return { width, elements: elements.length, texts, requests, wide, cut, overlapping, images };
};
addEventListener("load", () => {
  const findings = JSON.stringify([...document.querySelectorAll("iframe")].map(measure));
  const text = document.createElement("pre");
  text.textContent = findings;
  document.body.replaceChildren(text);
});
