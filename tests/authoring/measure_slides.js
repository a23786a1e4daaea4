// Everything that can't be read, as [[slide, what], ...]: each slide is shown at 1280 by 720 with all of its fragments.
() => {
  const measure = () => {
    const show = document.querySelector(".reveal .slides").getBoundingClientRect();
    const page = Reveal.getCurrentSlide();
    const found = [];
    if (Math.abs(show.width - 1280) > 1 || Math.abs(show.height - 720) > 1) {
      return [`is drawn ${Math.round(show.width)} by ${Math.round(show.height)} pixels`];
    }
    const name = (part) => (part.innerText || part.alt || part.tagName).trim().replace(/\s+/g, " ").slice(0, 60);
    const say = (text, part) => found.push(`${text}: ${name(part)}`);
    const shown = (part) => !part.closest("aside, style, script, .MJX_Assistive_MathML");
    const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    const boxes = [];
    while (texts.nextNode()) {
      const part = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || !shown(part)) continue;
      const range = document.createRange();
      range.selectNodeContents(texts.currentNode);
      for (const box of range.getClientRects()) boxes.push([box, part]);
      if (getComputedStyle(part).visibility !== "visible") say("is never shown", part);
    }
    for (const part of page.querySelectorAll("img, table, pre, svg")) {
      if (shown(part)) boxes.push([part.getBoundingClientRect(), part]);
    }
    let below = 0, beside = 0, low = null, wide = null;
    for (const [box, part] of boxes) {
      if (box.width === 0) continue;
      const down = Math.max(box.bottom - show.bottom, show.top - box.top);
      const out = Math.max(box.right - show.right, show.left - box.left);
      if (down > below) { below = down; low = part; }
      if (out > beside) { beside = out; wide = part; }
      for (let frame = part; frame && frame !== page.parentElement; frame = frame.parentElement) {
        if (getComputedStyle(frame).overflow === "visible" || getComputedStyle(frame).display === "contents") continue;
        const edge = frame.getBoundingClientRect();
        if (box.bottom > edge.bottom + 2 || box.right > edge.right + 2) { say("is cut off by its frame", part); break; }
      }
    }
    if (below > 1) say(`${Math.round(below)} px too tall`, low);
    if (beside > 1) say(`${Math.round(beside)} px too wide`, wide);
    for (const figure of page.querySelectorAll("img.figure")) {
      const scale = Math.min(figure.clientWidth / figure.naturalWidth, figure.clientHeight / figure.naturalHeight);
      const height = Math.round(figure.naturalHeight * scale);
      if (height < 240) say(`a figure only ${height} px high`, figure);
    }
    const blocks = [...page.querySelectorAll(".words, .code, .outputs > *")].filter((part) => !part.closest("aside"));
    const extents = blocks.map((block) => {
      const within = boxes.filter(([box, part]) => block.contains(part) && box.width).map(([box]) => box);
      const all = [block.getBoundingClientRect(), ...within];
      return {
        left: Math.min(...all.map((box) => box.left)), right: Math.max(...all.map((box) => box.right)),
        top: Math.min(...all.map((box) => box.top)), bottom: Math.max(...all.map((box) => box.bottom)),
      };
    });
    for (const [place, a] of extents.entries()) {
      for (const [further, b] of extents.slice(place + 1).entries()) {
        const other = blocks[place + 1 + further];
        if (blocks[place].contains(other)) continue;
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 3 && down > 8) say("lies on another cell", other);
      }
    }
    return [...new Set(found)];
  };
  return Reveal.getSlides().flatMap((page) => {
    const { h, v } = Reveal.getIndices(page);
    Reveal.slide(h, v || 0);
    page.querySelectorAll(".fragment").forEach((part) => part.classList.add("visible"));
    return measure().map((text) => [v ? `${h + 1}/${v + 1}` : `${h + 1}`, text]);
  });
}
