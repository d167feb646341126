// What a page can say of itself once it is laid out; each function returns lines to print.

// A page is as wide as its widest part, unless that part scrolls by itself.
function tooWide() {
  const width = document.documentElement.clientWidth
  const page = document.scrollingElement.scrollWidth
  if (page <= width) return []
  const clips = e => getComputedStyle(e).overflowX !== "visible"
  const scrolls = e => e && e !== document.body && (clips(e) || scrolls(e.parentElement))
  const sticksOut = e => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement)
  const parts = [...document.body.querySelectorAll("*")].filter(sticksOut).slice(0, 3)
  return [`the page is ${page} px wide`, ...parts.map(e => `too wide: ${e.outerHTML.slice(0, 150)}`)]
}

// Colors are red, green, blue from 0 to 255, and alpha from 0 to 1.
function rgba(text) {
  const [r, g, b, alpha = 1] = text.match(/-?[\d.]+(?:e-?\d+)?/g).map(Number)
  return text.startsWith("color(") ? [r * 255, g * 255, b * 255, alpha] : [r, g, b, alpha]
}

const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1)
const hex = color => "#" + color.slice(0, 3).map(n => Math.round(n).toString(16).padStart(2, "0")).join("")

function luminance(color) {
  const linear = c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  const [r, g, b] = color.map(c => linear(c / 255))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

// https://www.w3.org/TR/WCAG22/#contrast-minimum: 4.5 to 1, for large text 3 to 1. Each pair of colors is told once.
class Contrast {
  lines = new Map()

  judge(element, text, color, background) {
    const style = getComputedStyle(element)
    const size = parseFloat(style.fontSize)
    const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
    const seen = over(color, background)
    const [light, dark] = [luminance(seen), luminance(background)].sort((a, b) => b - a)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio >= wanted) return
    const what = `${hex(seen)} on ${hex(background)} is ${ratio.toFixed(2)} to 1, not ${wanted}`
    const place = element.closest("[class]")?.getAttribute("class") || element.tagName
    const line = `${what}: ${JSON.stringify(text.trim().slice(0, 40))} in ${element.tagName} of "${place}"`
    if (!this.lines.has(what)) this.lines.set(what, line)
  }
}

function paleText() {
  const contrast = new Contrast()
  const known = new Map([[null, { background: [255, 255, 255, 1], opacity: 1 }]])
  const look = e => {
    if (!known.has(e)) {
      const outer = look(e.parentElement)
      const style = getComputedStyle(e)
      const background = over(rgba(style.backgroundColor), outer.background)
      known.set(e, { background, opacity: outer.opacity * style.opacity, color: rgba(style.color) })
    }
    return known.get(e)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement
    const isShown = e.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    if (!texts.currentNode.data.trim() || !isShown || e.closest("svg, script, style")) continue
    const { color, background, opacity } = look(e)
    contrast.judge(e, texts.currentNode.data, [...color.slice(0, 3), color[3] * opacity], background)
  }
  return [...contrast.lines.values()]
}

// Of a picture that is opened by itself: what is behind its text is the shapes below it, and the page.
function paleTextOfPicture(page) {
  const contrast = new Contrast()
  const fill = style => [...rgba(style.fill).slice(0, 3), rgba(style.fill)[3] * style.fillOpacity * style.opacity]
  const isShape = e => e instanceof SVGGeometryElement && getComputedStyle(e).fill !== "none"
  for (const e of document.querySelectorAll("text, tspan")) {
    const text = [...e.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("")
    if (!text.trim()) continue
    const box = e.getBoundingClientRect()
    const shapes = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2).filter(isShape).reverse()
    const background = shapes.reduce((under, shape) => over(fill(getComputedStyle(shape)), under), rgba(page))
    contrast.judge(e, text, fill(getComputedStyle(e)), background)
  }
  return [...contrast.lines.values()]
}

const shownPictures = () =>
  [...document.images].filter(e => e.src.includes(".svg") && e.checkVisibility()).map(e => e.src)

// https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
async function barriers() {
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
  const rules = { "scrollable-region-focusable": { enabled: false } } // browsers of today focus what scrolls by themselves
  const { violations } = await axe.run(document, { runOnly, rules, resultTypes: ["violations"] })
  const why = node => node.failureSummary.split("\n").slice(1).map(line => line.trim()).join("; ")
  return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 150)}: ${why(node)}`))
}

Object.assign(globalThis, { barriers, paleText, paleTextOfPicture, shownPictures, tooWide })
