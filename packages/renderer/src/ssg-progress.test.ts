import { expect, it } from 'vitest'
import { ProgressDisplay } from './ssg-progress.js'

function shown(isTTY: boolean) {
  const texts: string[] = []
  const display = new ProgressDisplay({ isTTY, write: text => texts.push(text) })
  return { display, texts }
}

it('is a line for each route where there is no terminal', () => {
  const { display, texts } = shown(false)
  display.show({ done: 1, total: undefined, route: '/a' })
  display.show({ done: 2, total: 2, route: '/b\x1b[2J', error: new Error('gone\nagain') })
  display.end()
  expect(texts).toEqual(['1/? /a\n', '2/2 /b\ufffd[2J failed: gone\ufffdagain\n'])
})

it('is one bar on a terminal, which moves now and then, and at the end, and goes away', () => {
  const { display, texts } = shown(true)
  for (let done = 1; done <= 1000; done++) display.show({ done, total: 1000, route: `/${done}` })
  display.end()
  expect(texts.length).toBeLessThan(100)
  expect(texts[0]).toBe('\r\x1b[2K\x1b[?7l[------------------------] 1/1000 /1\x1b[?7h')
  expect(texts.at(-2)).toBe('\r\x1b[2K\x1b[?7l[########################] 1000/1000 /1000\x1b[?7h')
  expect(texts.at(-1)).toBe('\r\x1b[2K')
})

it('counts without a bar while the total is not known, and counts failures', () => {
  const { display, texts } = shown(true)
  display.show({ done: 1, total: undefined, route: '/a', error: new Error('gone') })
  expect(texts).toEqual(['\r\x1b[2K\x1b[?7l1/? (1 failed) /a\x1b[?7h'])
})
