import {KEY_PREFIX, type UnitQueue} from './connection.js'

type Client = Awaited<UnitQueue['client']>

/** Each as one step of the server. A job that has a lane may take it again; only its holder extends or gives it back. */
const SCRIPTS = {
  takeLane: `if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) or redis.call('get', KEYS[1]) == ARGV[1] then
    redis.call('pexpire', KEYS[1], ARGV[2]) return 1 end return 0`,
  extendLane: `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`,
  releaseLane: `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end return 0`,
  waitForLane: `redis.call('rpush', KEYS[1] .. ':waiting', ARGV[1]) return redis.call('exists', KEYS[1])`,
  nextOfLane: `return redis.call('lpop', KEYS[1] .. ':waiting')`,
} as const

/**
 * Of several units that write to one place, which one's turn it is: a key in Redis for each place, with a time to live that
 * its holder extends, and a list of who waits. The lock of the place itself still decides; this keeps workers from
 * running into it.
 */
export class Lanes {
  readonly #queue: UnitQueue
  readonly #client: Client
  readonly #lifeMs: number

  private constructor(queue: UnitQueue, client: Client, lifeMs: number) {
    this.#queue = queue
    this.#client = client
    this.#lifeMs = lifeMs
  }

  /** `lifeMs`: after how long the lane of a worker that was killed is free. */
  static async open(queue: UnitQueue, {lifeMs}: {readonly lifeMs: number}): Promise<Lanes> {
    const client = await queue.client
    for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, {numberOfKeys: 1, lua})
    return new Lanes(queue, client, lifeMs)
  }

  /** Takes a lane, or undefined when another job has it. */
  async take(lane: string, job: string): Promise<Lane | undefined> {
    const args = [this.#keyOf(lane), job, this.#lifeMs]
    if ((await this.#run('takeLane', args)) !== 1) return undefined
    return new Lane((script) => this.#run(script, args), this.#lifeMs)
  }

  /** Puts a job into the list of those that wait; it must be one that can be promoted by now. */
  async wait(lane: string, job: string): Promise<void> {
    // It may have become free before the list said that someone waits.
    if ((await this.#run('waitForLane', [this.#keyOf(lane), job])) === 0) await this.callNext(lane)
  }

  /** Lets the next that waits begin at once. What is in the list and waits no more is passed over. */
  async callNext(lane: string): Promise<void> {
    for (;;) {
      const id = await this.#run('nextOfLane', [this.#keyOf(lane)])
      if (typeof id !== 'string') return
      const job = await this.#queue.getJob(id)
      if (job !== undefined && (await isPromoted(job))) return
    }
  }

  #run(script: keyof typeof SCRIPTS, args: readonly (string | number)[]): Promise<unknown> {
    return this.#client.runCommand(script, [...args])
  }

  #keyOf(lane: string): string {
    return `${KEY_PREFIX}:${this.#queue.name}:lane:${lane}`
  }
}

/** Promotes a job that is delayed; false for one that is not. */
export async function isPromoted(job: {promote(): Promise<void>; isDelayed(): Promise<boolean>}): Promise<boolean> {
  if (!(await job.isDelayed())) return false
  try {
    await job.promote()
    return true
  } catch {
    // Its time had come between the two.
    return false
  }
}

/** A lane that is held. */
export class Lane {
  readonly #run: (script: 'extendLane' | 'releaseLane') => Promise<unknown>
  readonly #timer: NodeJS.Timeout

  constructor(run: (script: 'extendLane' | 'releaseLane') => Promise<unknown>, lifeMs: number) {
    this.#run = run
    this.#timer = setInterval(() => {
      // While the server is away the lane may run out; the lock of the place still decides.
      run('extendLane').catch(() => undefined)
    }, lifeMs / 3)
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    await this.#run('releaseLane')
  }
}
