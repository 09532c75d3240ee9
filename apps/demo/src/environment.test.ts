import { describe, expect, it } from 'vitest'
import { readSettings, SettingError } from './environment.js'

describe('the environment', () => {
  it('has defaults', () => {
    expect(readSettings({})).toEqual({ port: 3000, host: '127.0.0.1' })
    expect(readSettings({ PORT: '', HOST: '', REDIS_URL: '' })).toEqual({ port: 3000, host: '127.0.0.1' })
  })

  it('says where to listen and which Redis to use', () => {
    expect(readSettings({ PORT: '0', HOST: '0.0.0.0', REDIS_URL: 'redis://localhost:6379' })).toEqual({
      port: 0,
      host: '0.0.0.0',
      redisUrl: 'redis://localhost:6379',
    })
    expect(readSettings({ PORT: '65535' }).port).toBe(65_535)
  })

  it.each(['65536', '-1', '80.5', 'http', '0x50', '1e3', ' 80', '999999'])('refuses the port "%s"', PORT => {
    expect(() => readSettings({ PORT })).toThrow(SettingError)
    expect(() => readSettings({ PORT })).toThrow(
      `PORT is "${PORT}": it must be a number from 0 (any free port) to 65535.`,
    )
  })
})
