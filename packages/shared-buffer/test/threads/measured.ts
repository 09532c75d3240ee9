/** By how much memory grew, in MiB, from after `warmUp` to after `rest`, and what still keeps the loop busy. */
export async function measured(
  warmUp: () => Promise<unknown>,
  rest: () => Promise<unknown>,
): Promise<{ heapMiB: number; rssMiB: number; resources: string[] }> {
  await warmUp()
  const before = await measure()
  await rest()
  const after = await measure()
  return {
    heapMiB: (after.heapUsed - before.heapUsed) / 2 ** 20,
    rssMiB: (after.rss - before.rss) / 2 ** 20,
    resources: process.getActiveResourcesInfo().filter(name => !/Pipe|TTY/.test(name)),
  }
}

async function measure(): Promise<NodeJS.MemoryUsage> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return process.memoryUsage()
}
