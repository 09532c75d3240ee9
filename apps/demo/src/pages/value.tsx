import type { ReactNode } from 'react'

/** A number that assets/dashboard.js keeps up to date: `path` is its place in what `/api/stats` answers. */
export function Value({
  of,
  path,
  digits = 0,
  unit,
}: {
  of: number | null
  path: string
  digits?: number
  unit?: string
}): ReactNode {
  return (
    <>
      <span data-stat={path} data-digits={digits} data-unknown={of === null || undefined}>
        {formatted(of, digits)}
      </span>
      {unit && <small> {unit}</small>}
    </>
  )
}

export function formatted(value: number | null, digits: number): string {
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return value === null ? '–' : format.format(value)
}
