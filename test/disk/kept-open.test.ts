import assert from 'node:assert/strict'
import {renameSync, utimesSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {stampOfFile} from '../../src/disk/file-stamp.js'
import {closeIdleSpools, keepingOpen, useOpen, type Keepable} from '../../src/disk/kept-open.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Longer than a file must rest before it is known again. */
const SETTLED_MS = 2200

class Thing implements Keepable {
  isClosed = false
  readonly isSpooled: boolean

  constructor(isSpooled: boolean) {
    this.isSpooled = isSpooled
  }

  close(): Promise<void> {
    assert.equal(this.isClosed, false, 'closed twice')
    this.isClosed = true
    return Promise.resolve()
  }
}

describe('what is kept open', () => {
  const folder = temporaryFolder()
  const files: string[] = []

  before(async () => {
    for (let index = 0; index < 7; index++) {
      const file = path.join(folder.path, String(index))
      writeFileSync(file, 'same')
      files.push(file)
    }
    await setTimeout(SETTLED_MS)
  })

  const use = (file: string, {isSpooled = false} = {}) =>
    useOpen(file, {
      stampOf: () => stampOfFile(file),
      open: async () => ({value: new Thing(isSpooled), stamp: await stampOfFile(file)}),
    })

  it('is closed by the last use where nobody keeps it', async () => {
    const [one, other] = [await use(files[0]!), await use(files[0]!)]
    assert.notEqual(one.value, other.value)
    await one.release()
    assert.deepEqual([one.value.isClosed, other.value.isClosed], [true, false])
    await other.release()
    assert.equal(other.value.isClosed, true)
  })

  it('is the same one at each use, together and one after the other, and closed at the end', async () => {
    const thing = await keepingOpen(async () => {
      const [one, other] = [await use(files[0]!), await use(files[0]!)]
      assert.equal(one.value, other.value)
      await one.release()
      await one.release()
      assert.equal(one.value.isClosed, false)
      await other.release()
      const later = await use(files[0]!)
      assert.equal(later.value, one.value)
      await later.release()
      return later.value
    })
    assert.equal(thing.isClosed, true)
  })

  it('stays open for who still has it when nobody keeps it any more', async () => {
    const held = await keepingOpen(() => use(files[0]!))
    assert.equal(held.value.isClosed, false)
    await held.release()
    assert.equal(held.value.isClosed, true)
  })

  it('stays open while another keeps it', async () => {
    await keepingOpen(async () => {
      const thing = await keepingOpen(async () => {
        const held = await use(files[0]!)
        await held.release()
        return held.value
      })
      assert.equal(thing.isClosed, false)
    })
  })

  it('is closed though the work fails', async () => {
    let thing: Thing | undefined
    const work = keepingOpen(async () => {
      const held = await use(files[0]!)
      thing = held.value
      await held.release()
      throw new Error('failed')
    })
    await assert.rejects(work, /failed/)
    assert.equal(thing?.isClosed, true)
  })

  it('is at most four idle ones, the last ones used', async () => {
    await keepingOpen(async () => {
      const things: Thing[] = []
      for (const file of files.slice(0, 6)) {
        const held = await use(file)
        things.push(held.value)
        await held.release()
      }
      assert.deepEqual(
        things.map(({isClosed}) => isClosed),
        [true, true, false, false, false, false],
      )
    })
  })

  it('makes room in the temporary folder', async () => {
    await keepingOpen(async () => {
      const [spool, busy, plain] = [
        await use(files[0]!, {isSpooled: true}),
        await use(files[1]!, {isSpooled: true}),
        await use(files[2]!),
      ]
      await spool.release()
      await plain.release()
      await closeIdleSpools()
      assert.deepEqual([spool.value.isClosed, busy.value.isClosed, plain.value.isClosed], [true, false, false])
      await busy.release()
    })
  })

  const CHANGES: readonly {readonly how: string; readonly change: (file: string) => void}[] = [
    {
      how: 'edited to the same size, its time set back',
      change(file) {
        writeFileSync(file, 'else')
        utimesSync(file, 1, 1)
      },
    },
    {
      how: 'replaced by another',
      change(file) {
        writeFileSync(`${file}.new`, 'same')
        renameSync(`${file}.new`, file)
      },
    },
    {
      how: 'gone',
      change(file) {
        renameSync(file, `${file}.moved`)
      },
    },
  ]
  for (const [index, {how, change}] of CHANGES.entries())
    it(`is opened again where the file is ${how}, and the old one closed when it is let go of`, async () => {
      const file = files[3 + index]!
      await keepingOpen(async () => {
        const one = await use(file)
        change(file)
        const other = await use(file)
        assert.notEqual(one.value, other.value)
        assert.equal(one.value.isClosed, false)
        await one.release()
        await other.release()
        assert.equal(one.value.isClosed, true)
      })
    })

  it('is not known again where the file changed just now', async () => {
    const file = path.join(folder.path, 'fresh')
    writeFileSync(file, 'fresh')
    await keepingOpen(async () => {
      const one = await use(file)
      await one.release()
      assert.equal(one.value.isClosed, true)
    })
  })
})
