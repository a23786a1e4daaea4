// Typesets the formulas, gives each slide the layout in which its content fits at the largest size, starts the show.

window.MathJax = {
  skipStartupTypeset: true,
  messageStyle: "none",
  showMathMenu: false,
  showProcessingMessages: false,
  extensions: ["AssistiveMML.js"],
  menuSettings: { renderer: "HTML-CSS", assistiveMML: true },
  MMLorHTML: { prefer: "HTML" },
  tex2jax: { inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]], processEscapes: true, processEnvironments: true },
  "HTML-CSS": { availableFonts: [], preferredFont: null, webFont: "STIX-Web", imageFont: null, scale: 95 },
};

// Sizes of text and of code, 0 the largest (slides.css), in the order in which they are tried; code gives way first.
const SIZES = [[0, 0], [0, 1], [1, 1], [0, 2], [1, 2], [2, 2], [0, 3], [1, 3], [2, 3], [3, 3]];
// How high a figure must be drawn beside text of each size.
const FIGURE_HEIGHTS = [400, 360, 330, 270];
const STACKED = ["stacked", 0];
const ROWS = ["rows", 0];
const HALVES = [["halves", 0.5], ["halves", 0.6], ["halves", 0.4], ["halves", 0.3]];

function overflows(page) {
  if (page.scrollHeight > page.clientHeight + 1 || page.scrollWidth > page.clientWidth + 1) return true;
  const parts = [...page.querySelectorAll(".words, .code, .code pre, .outputs, pre, .table, table, .cell")];
  const box = page.getBoundingClientRect();
  return parts.some((part) => {
    const seen = part.getBoundingClientRect();
    if (part.closest("aside") || getComputedStyle(part).display === "contents") return false;
    return part.scrollWidth > part.clientWidth + 1 && part.tagName !== "TABLE"
      || seen.bottom > box.bottom - 20 || seen.right > box.right - 20;
  });
}

// The scale at which the figures are drawn inside their boxes; 0 if one is too small; the same for all without figures.
function drawn(page, smallest) {
  let least = 100;
  for (const figure of page.querySelectorAll("img.figure")) {
    const scale = Math.min(figure.clientWidth / figure.naturalWidth, figure.clientHeight / figure.naturalHeight);
    if (figure.naturalHeight * scale < smallest) return 0;
    least = Math.min(least, scale);
  }
  return least;
}

// The largest size at which some layout fits; among its layouts the one with the largest figures; lines wrap only last.
function fit(page) {
  const outputs = page.querySelectorAll(".outputs").length;
  const layouts = [STACKED, ...(outputs ? [ROWS] : []), ...(outputs === 1 ? HALVES : [])];
  for (const wrapped of ["", " wrapped"]) {
    for (const [text, code] of SIZES) {
      let best = null;
      for (const [layout, share] of layouts) {
        page.className = `page ${layout} text-${text} code-${code}${wrapped}`;
        page.style.setProperty("--share", share);
        const scale = overflows(page) ? 0 : drawn(page, FIGURE_HEIGHTS[text]);
        if (scale > (best ? best.scale * 1.1 : 0)) best = { name: page.className, share, scale };
      }
      if (best) {
        page.className = best.name;
        page.style.setProperty("--share", best.share);
        return;
      }
    }
  }
  page.className = "page stacked text-3 code-3 wrapped";
}

// A section's notes stay in the speaker's view until the next notes come.
function keepNotes(pages) {
  let last = null;
  for (const page of pages) {
    const own = page.querySelector("aside.notes");
    if (own) last = own;
    else if (last) page.append(last.cloneNode(true));
  }
}

async function start() {
  await document.fonts.ready;
  await new Promise((done) => MathJax.Hub.Queue(["Typeset", MathJax.Hub], done));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
  const pages = document.querySelectorAll(".slides .page");
  pages.forEach(fit);
  keepNotes(pages);
  document.documentElement.classList.remove("preparing");
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, display: "flex", transition: "none", hash: true,
    slideNumber: "c/t", scrollActivationWidth: null, plugins: [RevealNotes],
  });
  document.documentElement.classList.add("ready");
}

window.addEventListener("load", start);
