import assert from 'node:assert/strict'
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {flushFileSystem, flushFolder} from '../../../src/formats/package/flush.js'
import {hasLeftovers, lockRepository, makeWorkFolder} from '../../../src/formats/package/lock.js'
import {isAttachmentName, isPayloadName} from '../../../src/formats/package/package-folder.js'
import type {PackagePlace} from '../../../src/formats/package/package-place.js'
import {PlacedPackages, writeMarker} from '../../../src/formats/package/put-in-place.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

describe('names beside the payload of a package', () => {
  for (const [name, isPayload, isAttachment] of [
    ['Files', true, false],
    ['FILES', true, false],
    ['Hives', true, false],
    ['UtilityVM', true, false],
    ['BaseOs', true, false],
    ['tombstones.txt', true, false],
    ['Tombstones.TXT', true, false],
    ['Files.$wcidirs$', true, false],
    ['any.$WCIDIRS$', true, false],
    ['blank.vhdx', true, false],
    ['blank.VHDX', true, false],
    ['blank.vhd', false, true],
    ['vhdx', false, true],
    ['Filesystem', false, true],
    ['tombstones', false, true],
    ['version.wcx', false, true],
    ['metadata.json', false, false],
    ['METADATA.JSON', false, false],
    ['payload-index.jsonl', false, false],
    ['docker', false, false],
    ['Assets', false, false],
    ['escaped', false, false],
    ['AppxManifest.xml', false, false],
    ['a/b', false, false],
    ['a\\b', false, false],
    ['con', false, false],
    ['a.', false, false],
    ['', false, false],
    ['ä'.repeat(127), false, true],
    ['ä'.repeat(128), false, false],
    ['a'.repeat(255), false, true],
    ['a'.repeat(256), false, false],
  ] as const)
    it(`are the payload's or may be files of their own: '${name.slice(0, 20)}' of ${name.length}`, () => {
      assert.deepEqual([isPayloadName(name), isAttachmentName(name)], [isPayload, isAttachment])
    })
})

describe('a place that packages are put into', () => {
  const folder = temporaryFolder()
  const placeAt = (root: string, more: Partial<PackagePlace> = {}): PackagePlace => ({
    root,
    reference: 'inbox:it',
    workPrefix: '.tmp-',
    exists: true,
    read: () => assert.fail(),
    nameOf: () => assert.fail(),
    seal: () => assert.fail(),
    ...more,
  })
  const fresh = () => mkdtempSync(path.join(folder.path, 'place-'))
  const visible = (root: string) =>
    readdirSync(root)
      .filter((name) => !name.startsWith('.'))
      .sort()
  const packageIn = (where: string, name: string, text: string) => {
    mkdirSync(path.join(where, name))
    writeFileSync(path.join(where, name, 'metadata.json'), text)
    return path.join(where, name)
  }
  const textOf = (root: string, name: string) => readFileSync(path.join(root, name, 'metadata.json'), 'utf8')

  it('has them by their names, and what they displace in the work folder', () => {
    const place = placeAt(fresh())
    const work = makeWorkFolder(place)
    assert.ok(path.basename(work).startsWith('.tmp-') && path.dirname(work) === place.root)
    packageIn(place.root, 'old', 'old')
    const placed = new PlacedPackages(place)
    placed.put({path: packageIn(work, 'one', 'one'), name: 'new', displaced: 'old'}, work)
    placed.put({path: packageIn(work, 'two', 'two'), name: 'second', displaced: undefined}, work)
    assert.deepEqual(
      [visible(place.root), textOf(place.root, 'new'), textOf(path.join(work, 'replaced'), 'old')],
      [['new', 'second'], 'one', 'old'],
    )
    placed.takeBack()
    assert.deepEqual([visible(place.root), textOf(work, 'one'), textOf(work, 'two')], [[], 'one', 'two'])
    // What is taken back is not taken back once more.
    placed.takeBack()
  })

  it('is told by its marker, which is written once and taken back with the rest', () => {
    const marker = {name: 'marker.json', bytes: 'it'}
    const place = placeAt(fresh(), {marker})
    const work = makeWorkFolder(place)
    const placed = new PlacedPackages(place)
    placed.putMarker(work)
    assert.equal(readFileSync(path.join(place.root, 'marker.json'), 'utf8'), 'it')
    assert.equal(writeMarker(place, work), undefined)
    placed.takeBack()
    assert.equal(existsSync(path.join(place.root, 'marker.json')), false)
    writeFileSync(path.join(place.root, 'marker.json'), 'there')
    placed.putMarker(work)
    placed.takeBack()
    assert.equal(readFileSync(path.join(place.root, 'marker.json'), 'utf8'), 'there')
    assert.equal(writeMarker(placeAt(place.root), work), undefined)
  })

  it('is one writer’s, who brings in order what another has left', async () => {
    const place = placeAt(fresh())
    packageIn(place.root, 'CN=Contoso_App_1.0.0.0', 'there')
    assert.equal(hasLeftovers(place), false)
    const left = makeWorkFolder(place)
    mkdirSync(path.join(left, 'replaced'))
    packageIn(path.join(left, 'replaced'), 'CN=Contoso_Web_1.0.0.0', 'moved')
    assert.equal(hasLeftovers(place), true)
    const lock = await lockRepository(place, {})
    try {
      assert.deepEqual(
        [visible(place.root), existsSync(left)],
        [['CN=Contoso_App_1.0.0.0', 'CN=Contoso_Web_1.0.0.0'], false],
      )
      assert.equal(hasLeftovers(place), true, 'its own lock')
      await assert.rejects(lockRepository(place, {}), {code: 'LOCKED', at: {reference: 'inbox:it'}})
    } finally {
      lock.release()
    }
    assert.equal(hasLeftovers(place), false)
    const named = placeAt(place.root, {lockName: '.other-lock'})
    const other = await lockRepository(named, {})
    assert.deepEqual([hasLeftovers(named), hasLeftovers(place)], [true, false])
    other.release()
  })

  it('is flushed to the disk, and what is not there is told', async () => {
    const root = fresh()
    await flushFileSystem(root)
    await flushFileSystem(path.join(root, 'none'))
    flushFolder(root)
    if (process.platform !== 'win32')
      assert.throws(
        () => {
          flushFolder(path.join(root, 'none'))
        },
        {code: 'ENOENT'},
      )
  })
})
