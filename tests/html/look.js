// Looks at the page that is open and returns its faults, one sentence each.
(() => {
  const faults = [];
  const name = (element) => {
    const kind = element.getAttribute("class");
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 60);
    return `${element.tagName.toLowerCase()}${kind ? "." + kind.split(" ").join(".") : ""} "${text}"`;
  };
  const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })
    && !element.closest(".unseen, .skip");
  const round = (number) => Math.round(number * 10) / 10;

  // wider than the window
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) faults.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${room}`);

  // every run of text: its element and its boxes, one for each line
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("title, desc, style, script") || !isShown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 0.5 && box.height > 0.5) texts.push({ element, box });
  }
  const top = (box) => box.top + scrollY;

  // out of the window, or cut off by what holds it
  for (const { element, box } of texts) {
    if (box.left < -0.5 || box.right > room + 0.5) faults.push(`text leaves the window: ${name(element)}`);
    for (let holder = element; holder && holder !== document.body; holder = holder.parentElement) {
      if (getComputedStyle(holder).overflow === "visible" || holder.closest("svg")) continue;
      const edge = holder.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.left < edge.left - 1) faults.push(`text is cut off: ${name(element)}`);
    }
    const picture = element.closest("svg");
    if (picture) {
      // the box of a picture within a picture is that of what it holds: the rectangle beside the label tells
      const own = picture.closest("svg svg") ? picture.parentElement.querySelector(":scope > rect") : picture;
      const edge = own.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.bottom > edge.bottom + 1 || box.left < edge.left - 1 || box.top < edge.top - 1) {
        faults.push(`a label leaves its box: ${name(element)}`);
      }
    }
  }

  // texts over texts; boxes of lines are taller than their letters, so only their middles count
  const core = ({ box }) => ({ left: box.left + 1, right: box.right - 1, top: top(box) + box.height * 0.3, bottom: top(box) + box.height * 0.7 });
  const cores = texts.map((text) => ({ ...core(text), element: text.element })).sort((a, b) => a.top - b.top);
  cores.forEach((one, index) => {
    for (let next = index + 1; next < cores.length && cores[next].top < one.bottom; next += 1) {
      const other = cores[next];
      if (one.left < other.right && other.left < one.right) faults.push(`texts overlap: ${name(one.element)} and ${name(other.element)}`);
    }
  });

  // boxes over their siblings
  for (const parent of document.querySelectorAll("body, main, article, section, div, dl, ul, li, figure, fieldset, tbody, tr, .head, .meta")) {
    if (!isShown(parent)) continue;
    const boxes = [...parent.children]
      .filter((child) => isShown(child) && !["absolute", "fixed"].includes(getComputedStyle(child).position) && getComputedStyle(child).display !== "inline")
      .map((child) => ({ child, box: child.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 1 && box.height > 1);
    boxes.forEach((one, index) => {
      const other = boxes[index + 1];
      if (!other) return;
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (wide > 1.5 && high > 1.5) faults.push(`boxes overlap by ${round(wide)} x ${round(high)}: ${name(one.child)} and ${name(other.child)}`);
    });
  }

  // contrast by the formula of WCAG 2: against the colour behind the text
  const parse = (colour) => {
    const numbers = colour.match(/[\d.]+/g);
    return numbers && numbers.length > 2 ? numbers.map(Number) : null;
  };
  const light = (colour) => {
    const linear = colour.slice(0, 3).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    if (element.ownerSVGElement) {
      // the rectangle beside the label, else what lies behind the picture
      const tile = element.closest("svg svg")?.parentElement.querySelector(":scope > rect");
      if (tile) return parse(getComputedStyle(tile).fill);
    }
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour && (colour.length < 4 || colour[3] === 1)) return colour;
      if (colour && colour[3] > 0) faults.push(`a background that is half transparent: ${name(at)}`);
    }
    return [255, 255, 255];
  };
  for (const element of new Set(texts.map((text) => text.element))) {
    const style = getComputedStyle(element);
    const ink = parse(element.ownerSVGElement ? style.fill : style.color);
    const paper = behind(element);
    if (!ink || !paper) continue;
    const [high, low] = [light(ink), light(paper)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faults.push(`contrast is ${contrast.toFixed(2)}: ${name(element)}`);
  }

  // headings in order, pictures and tables with names
  let depth = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!heading.checkVisibility()) continue;
    const level = Number(heading.tagName[1]);
    if (level > depth + 1) faults.push(`a heading of level ${level} after one of level ${depth}: ${name(heading)}`);
    depth = level;
  }
  for (const picture of document.querySelectorAll("svg[role=img]")) if (!picture.querySelector(":scope > title")?.textContent) faults.push("a picture has no name");
  for (const table of document.querySelectorAll("table")) if (!table.caption?.textContent) faults.push(`a table has no caption: ${name(table)}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`two elements have the id ${id}`);
  return faults;
})();
