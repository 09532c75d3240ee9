/** 65536 → 64 KiB */
export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} MiB`
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`
}

/** 0.5 → 500 µs, 1500 → 1.50 s */
export function formatMs(ms: number): string {
  if (ms < 1) return `${threeDigits(ms * 1000)} µs`
  return ms < 1000 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`
}

/** Three significant digits and a prefix: 1234567 → 1.23 M */
export function formatRate(perSecond: number): string {
  if (perSecond >= 1e9) return `${threeDigits(perSecond / 1e9)} G`
  if (perSecond >= 1e6) return `${threeDigits(perSecond / 1e6)} M`
  if (perSecond >= 1e3) return `${threeDigits(perSecond / 1e3)} k`
  return `${threeDigits(perSecond)} `
}

/** 12.345 → 12.3 */
export function threeDigits(value: number): string {
  if (value === 0) return '0'
  return value >= 99.95 ? value.toFixed(0) : value.toPrecision(3)
}
