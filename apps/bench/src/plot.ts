import { formatBytes } from './units.js'

/** One line: its points from left to right, x in bytes. */
export interface Line {
  name: string
  points: { x: number; y: number }[]
}

export interface Panel {
  title: string
  lines: Line[]
  /** 1000 → 1.00 k/s */
  format(y: number): string
}

export interface Style {
  colour: string
  dash?: string
}

export interface Picture {
  title: string
  caption: string
  /** What the bytes of the horizontal axis are. */
  axis: string
  panels: Panel[]
  /** How each line is drawn, by its name; the legend is in the order of the last panel's right ends. */
  styles: Record<string, Style>
  columns: number
  width: number
  /** Of one panel. */
  height: number
}

const TOP = 56
const LEFT = 80
const LEGEND = 240
const GAP = { across: 90, down: 96 }

/** Panels beside and below each other, both axes of each logarithmic: an SVG picture. */
export function plot(picture: Picture): string {
  const { title, caption, panels, styles, columns, width, height } = picture
  const across = (width - LEFT - LEGEND - (columns - 1) * GAP.across) / columns
  const rows = Math.ceil(panels.length / columns)
  const titled = panels.length > 1 ? 24 : 0
  const total = TOP + rows * (height + titled) + (rows - 1) * (GAP.down - titled) + 60
  const boxes = panels.map((_, i) => {
    const left = LEFT + (i % columns) * (across + GAP.across)
    const top = TOP + titled + Math.floor(i / columns) * (height + GAP.down)
    return { left, top, right: left + across, bottom: top + height }
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" font-family="system-ui, sans-serif" font-size="13" fill="#222">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${total}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="17" font-weight="600">${title}</text>`,
    text(LEFT, 44, caption),
    ...panels.flatMap((panel, i) => draw(panel, boxes[i] as Box, picture)),
    ...legend(panels, styles, width - LEGEND + 24),
    '</svg>',
    '',
  ].join('\n')
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

function draw({ title, lines, format }: Panel, box: Box, { panels, axis, styles }: Picture): string[] {
  const sizes = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b)
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y))
  const decades = [
    Math.floor(Math.log10(Math.min(...values))),
    Math.ceil(Math.log10(Math.max(...values))),
  ] as const
  const x = scale(Math.log2(sizes[0] as number), Math.log2(sizes.at(-1) as number), box.left, box.right)
  const y = scale(decades[0], decades[1], box.bottom, box.top)
  const atSize = (size: number): number => x(Math.log2(size))
  const atValue = (value: number): number => y(Math.log10(value))
  return [
    ...(panels.length > 1 ? [text(box.left, box.top - 10, title, 'start', true)] : []),
    ...sizes.flatMap(size => [
      line(atSize(size), box.top, atSize(size), box.bottom),
      text(atSize(size), box.bottom + 20, formatBytes(size), 'middle'),
    ]),
    ...Array.from({ length: decades[1] - decades[0] + 1 }, (_, i) => 10 ** (decades[0] + i)).flatMap(
      value => [
        line(box.left, atValue(value), box.right, atValue(value)),
        text(box.left - 8, atValue(value) + 4, format(value).replace(/\.0+(?= )/, ''), 'end'),
      ],
    ),
    ...lines.flatMap(({ name, points }) => [
      stroke(styles[name], `M${points.map(p => `${round(atSize(p.x))} ${round(atValue(p.y))}`).join('L')}`),
      ...points.map(
        p =>
          `<circle cx="${round(atSize(p.x))}" cy="${round(atValue(p.y))}" r="3" fill="${styles[name]?.colour}"/>`,
      ),
    ]),
    text((box.left + box.right) / 2, box.bottom + 46, axis, 'middle'),
  ]
}

/** In the order of the lines' right ends, so that a line is found where it is looked for. */
function legend(panels: Panel[], styles: Picture['styles'], left: number): string[] {
  const lines = panels.flatMap(panel => panel.lines)
  const names = [...new Set(lines.map(({ name }) => name))]
  const end = (name: string): number =>
    lines.findLast(one => one.name === name)?.points.at(-1)?.y ?? Number.NEGATIVE_INFINITY
  return names
    .sort((a, b) => end(b) - end(a))
    .flatMap((name, i) => {
      const at = TOP + 14 + i * 26
      return [stroke(styles[name], `M${left} ${at}h36`), text(left + 46, at + 4, name)]
    })
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return value => start + ((value - from) / (to - from || 1)) * (end - start)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="#e2e2e2"/>`
}

function stroke(style: Style | undefined, path: string): string {
  const { colour, dash } = style ?? { colour: '#222' }
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.2"${dash ? ` stroke-dasharray="${dash}"` : ''}/>`
}

function text(x: number, y: number, content: string, anchor = 'start', isBold = false): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${isBold ? ' font-weight="600"' : ''}>${escaped}</text>`
}
