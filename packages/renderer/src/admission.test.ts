import { expect, it, vi } from 'vitest'
import { Admission } from './admission.js'

/** Tasks that end when the test says so. */
function tasks(admission: Admission, count: number) {
  return Array.from({ length: count }, (_, name) => {
    let finish = () => {}
    const task = { started: false, finish: () => finish(), done: Promise.resolve<unknown>(undefined) }
    task.done = admission
      .run(() => {
        task.started = true
        return new Promise<number>(resolve => {
          finish = () => resolve(name)
        })
      })
      .catch(error => error)
    return task
  })
}

const turn = () => new Promise(resolve => setImmediate(resolve))

it('I4: runs as many as the limit at once, the others in order', async () => {
  const admission = new Admission(2, 10, 60_000)
  const all = tasks(admission, 4)
  await turn()
  expect(all.map(task => task.started)).toEqual([true, true, false, false])
  expect(admission.queue.size).toBe(2)
  all[1]?.finish()
  await turn()
  expect(all.map(task => task.started)).toEqual([true, true, true, false])
  expect(admission.running).toBe(2)
  for (const task of all) {
    task.finish()
    await turn()
  }
  expect(await Promise.all(all.map(task => task.done))).toEqual([0, 1, 2, 3])
  expect(admission.running).toBe(0)
})

it('I5: refuses what would be one too many, and takes the next again later', async () => {
  const admission = new Admission(1, 1, 60_000)
  const [first, second, third] = tasks(admission, 3)
  expect(await third?.done).toMatchObject({ code: 'QUEUE_FULL' })
  first?.finish()
  await first?.done
  second?.finish()
  expect(await second?.done).toBe(1)
  const [later] = tasks(admission, 1)
  await turn()
  expect(later?.started).toBe(true)
})

it('I7: frees its place when a task throws', async () => {
  const admission = new Admission(1, 1, 60_000)
  await expect(admission.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(admission.running).toBe(0)
  await expect(admission.run(async () => 'yes')).resolves.toBe('yes')
})

it('I13: closes when all have ended, and refuses what comes after', async () => {
  const admission = new Admission(1, 2, 60_000)
  const [running, waiting] = tasks(admission, 2)
  await turn()
  let closed = false
  const closing = admission.close().then(() => {
    closed = true
  })
  await expect(admission.run(async () => {})).rejects.toMatchObject({ code: 'RENDERER_CLOSED' })
  running?.finish()
  await running?.done
  await turn()
  expect(closed).toBe(false)
  waiting?.finish()
  await closing
  await new Admission(1, 1, 60_000).close()
})

it('I13: can give up what still waits', async () => {
  const admission = new Admission(1, 2, 60_000)
  const [running, waiting] = tasks(admission, 2)
  admission.abandon()
  expect(admission.queue.size).toBe(0)
  expect(await waiting?.done).toMatchObject({ code: 'RENDERER_CLOSED' })
  running?.finish()
  expect(await running?.done).toBe(0)
})

it('I5: lets a task that has to go back go first, also with a full queue', async () => {
  const admission = new Admission(1, 1, 60_000)
  const all = tasks(admission, 2)
  await turn()
  const entrant = { onTurn: vi.fn(), onRefusal: vi.fn() }
  admission.enter(entrant)
  expect(entrant.onRefusal).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'QUEUE_FULL' }))
  admission.enterFirst(entrant)
  all[0]?.finish()
  await turn()
  expect(entrant.onTurn).toHaveBeenCalledOnce()
  expect(all[1]?.started).toBe(false)
  admission.leave()
  await turn()
  expect(all[1]?.started).toBe(true)
  all[1]?.finish()
  await turn()
  admission.enterFirst(entrant)
  expect(entrant.onTurn).toHaveBeenCalledTimes(2)
  admission.leave()
})
