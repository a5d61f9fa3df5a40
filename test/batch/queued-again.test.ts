import assert from 'node:assert/strict'
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import type {UnitQueue} from '../../src/batch/queue/connection.js'
import type {UnitJob} from '../../src/batch/queue/job-report.js'
import type {Lanes} from '../../src/batch/queue/lanes.js'
import type {UnitJobData} from '../../src/batch/queue/unit-job.js'
import {workJob} from '../../src/batch/queue/work-job.js'
import {convert} from '../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const THEIRS = 'of another'

/** Of a unit that comes after none and writes to no lane, neither is asked. */
const WITHOUT_SERVER = {queue: undefined, lanes: undefined} as unknown as {
  readonly queue: UnitQueue
  readonly lanes: Lanes
}

/** A job as far as the work on it asks, without a server. */
class HeldJob {
  readonly id = 'job'
  data: UnitJobData
  attemptsMade = 0
  stalledCounter = 0

  constructor(data: UnitJobData) {
    this.data = data
  }

  updateData(data: UnitJobData): Promise<void> {
    this.data = data
    return Promise.resolve()
  }

  updateProgress(): Promise<void> {
    return Promise.resolve()
  }

  moveToWait(): Promise<void> {
    return Promise.resolve()
  }
}

describe('a unit of a queue that is begun again', () => {
  const folder = temporaryFolder()
  const target = () => path.join(folder.path, 'out.tar')
  let registry: MemoryRegistry
  let isDown = false
  let onAsked: () => void = () => undefined

  before(async () => {
    registry = await startMemoryRegistry((request, response) => {
      if (request.method !== 'GET' || request.url?.includes('/manifests/') !== true) return false
      onAsked()
      if (isDown) response.writeHead(418).end()
      return isDown
    })
    const saved = path.join(folder.path, 'image.tar')
    writeFileSync(saved, await tarOf(classicMembers(partsOf([await tarOf([['etc/os', 'x']])], {os: 'linux'}))))
    await convert(`docker-archive:${saved}`, `docker://${registry.host}/app:1`)
  })

  after(() => registry.stop())

  function jobOf(): HeldJob {
    const source = `docker://${registry.host}/app:1`
    const destination = 'docker-archive:out.tar'
    const unit = {id: 'i', key: 'k', source, destination, options: {}, after: [], item: 0, before: []}
    rmSync(target(), {force: true})
    return new HeldJob({
      version: 1,
      unit,
      folder: folder.path,
      isRooted: false,
      after: [],
      next: [],
      lane: '',
      retries: 3,
    })
  }

  const work = (job: HeldJob, signal = new AbortController().signal) =>
    workJob(job as unknown as UnitJob, 'token', undefined, {
      ...WITHOUT_SERVER,
      signal,
      onUnfit: () => undefined,
    })

  const taken = async (job: HeldJob) => {
    await assert.rejects(work(job))
    return job.data.outcome?.failure?.code
  }

  it('takes nothing for its own that was put there after it had failed', async () => {
    const job = jobOf()
    isDown = true
    await assert.rejects(work(job))
    isDown = false
    assert.equal(existsSync(target()), false)
    writeFileSync(target(), THEIRS)
    job.attemptsMade = 1
    assert.equal(await taken(job), 'DESTINATION_EXISTS')
    assert.equal(readFileSync(target(), 'utf8'), THEIRS)
  })

  it('takes nothing for its own that was put there after it was given back', async () => {
    const job = jobOf()
    const interrupt = new AbortController()
    onAsked = () => {
      interrupt.abort()
    }
    await assert.rejects(work(job, interrupt.signal))
    onAsked = () => undefined
    assert.equal(existsSync(target()), false)
    writeFileSync(target(), THEIRS)
    assert.equal(await taken(job), 'DESTINATION_EXISTS')
    assert.equal(readFileSync(target(), 'utf8'), THEIRS)
  })

  it('goes on with what it had begun when its worker was killed, also after a failure', async () => {
    const job = jobOf()
    job.data = {...job.data, begun: {isFree: true}}
    writeFileSync(target(), 'half of its own')
    isDown = true
    await assert.rejects(work(job))
    isDown = false
    await work(job)
    assert.notEqual(readFileSync(target(), 'latin1'), 'half of its own')
  })
})
