import assert from 'node:assert/strict'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {Writable} from 'node:stream'
import {findTarHeader} from '../../../src/codecs/tar/tar-header.js'
import {FileComparison, isFile} from '../../../src/formats/archive-file/file-comparison.js'
import {headerBlock, requireFile, TarFile} from '../../../src/formats/archive-file/tar-file.js'
import {chunked} from '../../helpers/bytes.js'
import {errorOf} from '../../helpers/layout-store.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const END = Buffer.alloc(1024)
const BODY = Buffer.from('the body')

/** A member as it lies in the tar. */
function member(name: string, body: Buffer, mode = 0o444): Buffer {
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512)
  return Buffer.concat([headerBlock({name, typeflag: '0', mode, size: body.length}), body, padding])
}

describe('the header of a member', () => {
  for (const [size, first] of [
    [0, 0x30],
    [8 ** 11 - 1, 0x37],
    [8 ** 11, 0x80],
    [2 ** 45 + 7, 0x80],
  ] as const)
    it(`tells its size in one block: ${size}`, () => {
      const block = headerBlock({name: 'a/b', typeflag: '2', mode: 0o755, size, linkname: 'c'})
      const header = findTarHeader(block)
      assert.deepEqual([block.length, block[124]], [512, first])
      assert.deepEqual(
        [header?.size, header?.mode, header?.typeflag, header?.mtime, header?.uid, header?.gid],
        [size, 0o755, '2', 0, 0, 0],
      )
      assert.deepEqual([header?.name, header?.linkname].map(String), ['a/b', 'c'])
      assert.match(Buffer.from(block.subarray(148, 156)).toString('latin1'), /^[0-7]{6}\0 $/)
    })
})

describe('a tar that is written beside its place', () => {
  const folder = temporaryFolder()
  let made = 0
  let root: string
  let target: string
  beforeEach(() => {
    root = path.join(folder.path, String(made++))
    mkdirSync(root)
    target = path.join(root, 'image.tar')
  })
  const commit = (file: TarFile, replace = false) => file.commit({replace})
  const inPlace = (bytes: Buffer) => {
    writeFileSync(target, bytes)
    return statSync(target).ino
  }

  it('takes its place when it is done, and not before', async () => {
    const file = await TarFile.create(target)
    await file.add({name: 'a/', typeflag: '5', mode: 0o755})
    assert.equal(file.size, 512)
    await file.add({name: 'a/b', typeflag: '0', mode: 0o644}, BODY)
    assert.equal(file.size, 512 * 3)
    await file.add({name: 'whole', typeflag: '0', mode: 0o644}, Buffer.alloc(512, 'x'))
    assert.equal(file.size, 512 * 5)
    const open = await file.addBody(chunked(BODY, 3), {})
    assert.deepEqual([open, file.size], [{offset: 512 * 5, size: BODY.length}, 512 * 7])
    const full = await file.addBody(chunked(Buffer.alloc(1024, 'y'), 512), {})
    assert.deepEqual([full, file.size], [{offset: 512 * 7, size: 1024}, 512 * 10])
    await file.name(full, 'second')
    await file.name(open, 'first')
    assert.deepEqual(readdirSync(root).includes('image.tar'), false)
    assert.equal(await commit(file), false)
    assert.deepEqual(readdirSync(root), ['image.tar'])
    const members = [
      headerBlock({name: 'a/', typeflag: '5', mode: 0o755, size: 0}),
      member('a/b', BODY, 0o644),
      member('whole', Buffer.alloc(512, 'x'), 0o644),
      member('first', BODY),
      member('second', Buffer.alloc(1024, 'y')),
    ]
    assert.deepEqual(readFileSync(target), Buffer.concat([...members, END]))
    await file.abort()
    assert.deepEqual(readdirSync(root), ['image.tar'])
  })

  it('takes back what was written last', async () => {
    const file = await TarFile.create(target)
    await file.name(await file.addBody(chunked(BODY), {}), 'kept')
    await file.drop(await file.addBody(chunked(Buffer.alloc(3000, 'x')), {}))
    assert.equal(file.size, 1024)
    await commit(file)
    assert.deepEqual(readFileSync(target), Buffer.concat([member('kept', BODY), END]))
  })

  it('leaves nothing behind when it is given up, however often', async () => {
    const file = await TarFile.create(target)
    assert.equal(readdirSync(root).length, 1)
    await file.abort()
    await file.abort()
    assert.deepEqual(readdirSync(root), [])
    await assert.rejects(file.add({name: 'a', typeflag: '0', mode: 0o644}, BODY))
  })

  it('removes what a run that was killed has left of it, and of nothing else', async () => {
    const file = await TarFile.create(target)
    const [name] = readdirSync(root)
    const dead = name!.replace(/-(\d+)-(\d+)-/, '-$1-1$2-')
    for (const left of [dead, dead.replace('image', 'other')]) writeFileSync(path.join(root, left), 'x')
    await file.abort()
    await (await TarFile.create(target)).abort()
    assert.deepEqual(readdirSync(root), [dead.replace('image', 'other')])
  })

  it('stops where it is interrupted', async () => {
    const file = await TarFile.create(target)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(file.addBody(chunked(BODY), {signal}), /enough/)
    await file.abort()
  })

  it('is refused where there is no folder for it, or a folder in its place', async () => {
    const nowhere = path.join(root, 'none', 'image.tar')
    const error = await errorOf(() => TarFile.create(nowhere))
    assert.deepEqual([error.code, error.at.path], ['NOT_FOUND', nowhere])
    mkdirSync(target)
    for (const replace of [false, true]) {
      const taken = await errorOf(() => TarFile.create(target, {replace}))
      assert.deepEqual([taken.code, taken.at.path], ['DESTINATION_EXISTS', target])
      // A folder is never replaced by a file, so that is not advised.
      assert.doesNotMatch(taken.suggestions.join(), /--replace/)
    }
  })

  for (const replace of [false, true])
    it(`does not take a place that was taken meanwhile${replace ? ', unless it may be replaced' : ''}`, async () => {
      const file = await TarFile.create(target)
      await file.add({name: 'a', typeflag: '0', mode: 0o644}, BODY)
      inPlace(Buffer.from('another'))
      if (replace) assert.equal(await commit(file, true), false)
      else {
        const error = await errorOf(() => commit(file))
        assert.deepEqual([error.code, error.at.path], ['DESTINATION_EXISTS', target])
        await file.abort()
      }
      assert.deepEqual(readdirSync(root), ['image.tar'])
      assert.equal(readFileSync(target).length, replace ? 2048 : 7)
    })

  for (const [replace, code] of [
    [false, 'DESTINATION_EXISTS'],
    [true, 'UNRECOGNISED_FORMAT'],
  ] as const)
    it(`does not take the place of a folder that was made meanwhile: ${code}`, async () => {
      const file = await TarFile.create(target, {replace})
      mkdirSync(target)
      const error = await errorOf(() => commit(file, replace))
      assert.deepEqual([error.code, error.at.path], [code, target])
      await file.abort()
      assert.deepEqual(readdirSync(root), ['image.tar'])
    })

  const TWO = Buffer.concat([member('a', BODY, 0o644), member('b', BODY), END])
  async function write(body: Buffer = BODY, {name = 'b', replace = false, mode = 0o644} = {}): Promise<boolean> {
    const file = await TarFile.create(target, {replace})
    try {
      await file.add({name: 'a', typeflag: '0', mode}, BODY)
      await file.name(await file.addBody(chunked(body, 5), {}), name)
      return await commit(file, replace)
    } catch (error) {
      await file.abort()
      throw error
    }
  }

  for (const replace of [false, true])
    it(`leaves an equal file in its place${replace ? ', even to be replaced' : ''}`, async () => {
      const inode = inPlace(TWO)
      assert.equal(await write(BODY, {replace}), true)
      assert.deepEqual([readdirSync(root), statSync(target).ino], [['image.tar'], inode])
    })

  for (const [note, there, options] of [
    ['in a header', TWO, {mode: 0o600}],
    ['in the name of a body', TWO, {name: 'c'}],
    ['in a body', TWO, {body: Buffer.from('the bodi')}],
    ['in the length of a body', TWO, {body: Buffer.from('the body.')}],
    ['in its end', Buffer.concat([TWO, END]), {}],
    ['being cut', TWO.subarray(0, 1536), {}],
    ['in what follows', Buffer.concat([TWO.subarray(0, -1), Buffer.from('x')]), {}],
  ] as const)
    it(`does not replace a file that differs ${note}, unless that is asked for`, async () => {
      const inode = inPlace(Buffer.from(there))
      const {body = BODY, ...more} = options as {body?: Buffer; name?: string; mode?: number}
      const error = await errorOf(() => write(body, more))
      assert.deepEqual([error.code, error.at.path], ['DESTINATION_EXISTS', target])
      assert.deepEqual([readdirSync(root), statSync(target).ino], [['image.tar'], inode])
      assert.equal(await write(body, {...more, replace: true}), false)
      assert.equal(readdirSync(root).length, 1)
      assert.notDeepEqual(readFileSync(target), there)
    })

  it('knows at once that it differs, and not by what is taken back', async () => {
    inPlace(TWO)
    const file = await TarFile.create(target)
    await file.add({name: 'a', typeflag: '0', mode: 0o644}, BODY)
    const other = await file.addBody(chunked(Buffer.from('other')), {})
    await file.drop(other)
    const same = await file.addBody(chunked(BODY), {})
    await file.name(same, 'b')
    assert.equal(await commit(file), true)
    const second = await TarFile.create(target)
    await assert.rejects(second.add({name: 'x', typeflag: '0', mode: 0o644}, BODY), {code: 'DESTINATION_EXISTS'})
    await second.abort()
    const third = await TarFile.create(target)
    await third.add({name: 'a', typeflag: '0', mode: 0o644}, BODY)
    await assert.rejects(third.name(await third.addBody(chunked(Buffer.from('other')), {}), 'b'), {code: 'DESTINATION_EXISTS'}) // prettier-ignore
    await third.abort()
  })

  describe('for standard output', () => {
    const stdout = Object.getOwnPropertyDescriptor(process, 'stdout')!
    let got: Buffer[]
    let isEnded: boolean
    let spools: string
    const before_ = process.env['TMPDIR']
    beforeEach(() => {
      got = []
      isEnded = false
      spools = mkdtempSync(path.join(tmpdir(), 'transship-test-'))
      process.env['TMPDIR'] = spools
    })
    afterEach(() => {
      if (before_ === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before_
      rmSync(spools, {recursive: true})
    })

    /** Commits with something in the place of standard output that takes all it gets. */
    async function commitThere(file: TarFile, options: {signal?: AbortSignal} = {}): Promise<boolean> {
      const value = new Writable({
        write: (chunk: Buffer, _, done) => {
          got.push(Buffer.from(chunk))
          done()
        },
        final: (done) => {
          isEnded = true
          done()
        },
      })
      Object.defineProperty(process, 'stdout', {...stdout, get: () => value})
      try {
        return await file.commit({replace: false, ...options})
      } finally {
        Object.defineProperty(process, 'stdout', stdout)
      }
    }

    it('is made aside, and sent from its first byte on without the end being told', async () => {
      const file = await TarFile.create('-')
      await file.name(await file.addBody(chunked(BODY), {}), 'a')
      // Where an open file may be unlinked, it has no name by now.
      assert.equal(readdirSync(spools).length, process.platform === 'win32' ? 1 : 0)
      assert.equal(await commitThere(file), false)
      assert.deepEqual(Buffer.concat(got), Buffer.concat([member('a', BODY), END]))
      assert.deepEqual([isEnded, readdirSync(spools)], [false, []])
    })

    it('is not sent where that is interrupted', async () => {
      const file = await TarFile.create('-')
      await file.add({name: 'a', typeflag: '0', mode: 0o644}, Buffer.alloc(2 ** 20))
      await assert.rejects(commitThere(file, {signal: AbortSignal.abort()}), {name: 'AbortError'})
      assert.deepEqual(got, [])
      await file.abort()
      assert.deepEqual(readdirSync(spools), [])
    })

    for (const isTTY of [true, false])
      it(`is ${isTTY ? 'not ' : ''}for ${isTTY ? 'a terminal' : 'a pipe'}`, async () => {
        Object.defineProperty(process, 'stdout', {...stdout, get: () => ({isTTY})})
        try {
          if (isTTY) assert.equal((await errorOf(() => requireFile('-', true))).code, 'BAD_OPTION')
          else await requireFile('-', false)
        } finally {
          Object.defineProperty(process, 'stdout', stdout)
        }
      })
  })

  for (const [size, isTar] of [
    [0, false],
    [1, false],
    [511, false],
    [512, true],
    [513, false],
    [1024, true],
  ] as const)
    it(`may be for the place of a file of ${size} bytes${isTar ? '' : ', where that may be replaced'}`, async () => {
      inPlace(Buffer.alloc(size))
      await requireFile(target, true)
      if (isTar) await requireFile(target, false)
      else assert.equal((await errorOf(() => requireFile(target, false))).code, 'DESTINATION_EXISTS')
    })

  it('may be for a free place, and never for that of a folder', async () => {
    await requireFile(target, false)
    assert.equal(await isFile(target), false)
    mkdirSync(target)
    assert.equal((await errorOf(() => requireFile(target, true))).code, 'DESTINATION_EXISTS')
    renameSync(target, `${target}.folder`)
    inPlace(BODY)
    assert.equal(await isFile(target), true)
    const error = await errorOf(() => isFile(path.join(target, 'below')))
    assert.deepEqual([error.code, error.at.path], ['NOT_FOUND', path.join(target, 'below')])
  })

  it('is held against the file that is there, byte by byte', async () => {
    assert.equal(await FileComparison.open(target, false), undefined)
    inPlace(Buffer.from('0123456789'))
    const comparison = (await FileComparison.open(target, false))!
    for (const [text, offset, isSame] of [
      ['0123456789', 0, true],
      ['', 10, true],
      ['9', 9, true],
      ['456', 4, true],
      ['456', 3, false],
      ['9x', 9, false],
      ['x', 10, false],
    ] as const)
      assert.equal(await comparison.isSame(Buffer.from(text), offset), isSame, `${text} at ${offset}`)
    assert.equal(comparison.isEqual(10), true)
    for (const size of [9, 11]) {
      const other = (await FileComparison.open(target, false))!
      assert.equal((await errorOf(() => other.isEqual(size))).code, 'DESTINATION_EXISTS')
      await other.close()
    }
    await comparison.close()
  })

  it('is not compared any more once it is known to differ', async () => {
    inPlace(BODY)
    const comparison = (await FileComparison.open(target, true))!
    comparison.differ()
    assert.equal(await comparison.isSame(Buffer.from('other'), 100), true)
    assert.equal(comparison.isEqual(BODY.length), false)
    await comparison.close()
    const refused = (await FileComparison.open(target, false))!
    assert.throws(
      () => {
        refused.differ()
      },
      {code: 'DESTINATION_EXISTS'},
    )
    // It was told already.
    refused.differ()
    await refused.close()
  })
})
