import { describe, expect, it } from 'vitest'
import { fileOfRoute } from './ssg-route.js'

describe('the file of a route', () => {
  it.each([
    ['/', 'index.html'],
    ['/a', 'a/index.html'],
    ['/a/', 'a/index.html'],
    ['/a.html', 'a.html'],
    ['/a.html/', 'a.html/index.html'],
    ['/feed.xml', 'feed.xml'],
    ['/song.mp3', 'song.mp3'],
    ['/a/b.tar.gz', 'a/b.tar.gz'],
    ['/v1.2', 'v1.2/index.html'],
    ['/1.0.0-rc.1', '1.0.0-rc.1/index.html'],
    ['/.hidden', '.hidden/index.html'],
    ['/.well-known/security.txt', '.well-known/security.txt'],
    ['/a%20b', 'a b/index.html'],
    ['/100%25', '100%/index.html'],
    ['/why%3F', 'why?/index.html'],
    ['/caf%C3%A9', 'café/index.html'],
    ['/日本/🎈', '日本/🎈/index.html'],
    ['/...', '.../index.html'],
  ])('%s is %s', (route, file) => {
    expect(fileOfRoute(route, 'linux')).toBe(file)
  })

  it.each(['/a:b', '/why%3F', '/con', '/NUL.txt', '/a/lpt1', '/dot.', '/space%20', '/a*b', '/%3Cx%3E'])(
    '%s is none on Windows',
    route => {
      expect(() => fileOfRoute(route, 'win32')).toThrow(/Windows has no files named/)
      expect(fileOfRoute(route, 'linux')).toBeTruthy()
    },
  )

  it.each(['/console', '/nullable.html', '/a.b.c', '/lpt'])('%s is one on Windows too', route => {
    expect(fileOfRoute(route, 'win32')).toBe(fileOfRoute(route, 'linux'))
  })
})
