import assert from 'node:assert/strict'
import {closeSync, existsSync, mkdtempSync, openSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {digestOf} from '../../../src/model/digest.js'
import type {WorkEvent} from '../../../src/model/events.js'
import type {LayerEntry} from '../../../src/model/layer-entry.js'
import type {PackageDraft} from '../../../src/model/transport.js'
import {collect} from '../../helpers/bytes.js'
import {directoryEntry, fileEntry, linkEntry} from '../../helpers/file-system-model.js'
import {openPlace, putPackages, visibleIn} from '../../helpers/package-place.js'
import {identityOf} from '../../helpers/stored-packages.js'
import {lookAt} from '../../helpers/refusals.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {draftWith} from '../../helpers/written-packages.js'

const APP = 'CN=Contoso_App_1.0.0.0'
const one = [fileEntry('Files/a', 'one')]

describe('a payload that is begun before the turn of its package', () => {
  const folder = temporaryFolder()
  const fresh = () => path.join(mkdtempSync(path.join(folder.path, 'place-')), 'repository')

  /** A draft whose layer lies in an open file. */
  async function loneDraft(
    text: string,
    entries: readonly LayerEntry[],
    more: Partial<PackageDraft> = {},
    isLowest = true,
  ) {
    const draft = await draftWith(text, entries, more)
    const bytes = await collect(draft.layer!.blob!.open())
    const file = path.join(mkdtempSync(path.join(folder.path, 'tar-')), 'layer.tar')
    writeFileSync(file, bytes)
    const fd = openSync(file, 'r')
    const heard = {bytes: 0, names: 0}
    const diffId = digestOf(bytes)
    const descriptor = {mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: bytes.byteLength}
    const lone = {
      inFile: {
        title: 'layer 1',
        descriptor,
        compression: 'none',
        diffId,
        range: {fd, title: 'layer.tar', offset: 0, length: bytes.byteLength},
      } as const,
      isLowest,
      checkNames: () => {
        heard.names++
        return Promise.resolve()
      },
      onRead: (count: number) => {
        heard.bytes += count
      },
    }
    return {
      draft: {...draft, lone},
      heard,
      size: bytes.byteLength,
      close: () => {
        closeSync(fd)
      },
    }
  }

  for (const [note, entries, isLowest, names] of [
    ['alone', [...one, fileEntry('Hives/b?', 'h')], true, 1],
    ['with those below, where it needs them', [linkEntry('Files/link', 'Files/a'), ...one], false, 0],
  ] as const)
    it(`is written ${note}, and heard of when it is its turn`, async () => {
      const root = fresh()
      const {draft, heard, size, close} = await loneDraft('App', [directoryEntry('Files'), ...entries], {}, isLowest)
      const destination = await openPlace(root, {concurrency: 1})
      const events: WorkEvent[] = []
      const options = {onEvent: (event: WorkEvent) => events.push(event)}
      await destination.begin?.(draft, options)
      // To begin it once more makes no difference.
      await destination.begin?.(draft, options)
      while (
        !readdirSync(root, {recursive: true}).some((name) =>
          String(name).endsWith(isLowest ? 'payload-index.jsonl' : 'recipe-0.gz'),
        )
      )
        await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([heard.bytes, events], [0, []])
      const {unchanged, layers} = await destination.write(draft, options)
      assert.deepEqual([unchanged, layers[0]?.diffId, heard.names], [false, draft.layer?.diffId, names])
      assert.ok(heard.bytes > 0 && heard.bytes <= size)
      await destination.commit({})
      assert.deepEqual(visibleIn(root), [APP, 'repository.json'])
      const plain = fresh()
      await putPackages(plain, [{...(await draftWith('App', [directoryEntry('Files'), ...entries]))}])
      // But for the moment in which they were written.
      const bytesIn = (place: string) =>
        Object.entries(lookAt(path.join(place, APP))).map(([name, look]) => [name, look.split(' ').at(-1)])
      assert.deepEqual(bytesIn(root), bytesIn(plain))
      close()
    })

  it('is given up where the work is, or another takes its turn', async () => {
    const root = fresh()
    const {draft, close} = await loneDraft('App', one)
    const destination = await openPlace(root, {concurrency: 1})
    await destination.begin?.(draft, {})
    await destination.settle?.()
    await destination.write(draft, {})
    await destination.commit({})
    assert.deepEqual(visibleIn(root), [APP, 'repository.json'])
    const again = await openPlace(root, {concurrency: 1})
    await again.begin?.(draft, {})
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith('.')),
      [],
      'it is there already',
    )
    await again.abort()
    const [place, unused] = [fresh(), await loneDraft('App', one)]
    const aborted = await openPlace(place, {concurrency: 1})
    await aborted.begin?.(unused.draft, {})
    await aborted.abort()
    assert.equal(existsSync(place), false)
    for (const each of [close, unused.close]) each()
  })

  it('may be under another name when it is its turn', async () => {
    const root = fresh()
    const {draft, close} = await loneDraft('App', one)
    const destination = await openPlace(root, {concurrency: 1})
    await destination.begin?.(draft, {})
    const renamed = {...draft, metadata: {...draft.metadata, identity: identityOf('Other')}}
    assert.deepEqual((await destination.write(renamed, {})).identity, identityOf('Other'))
    await destination.commit({})
    assert.deepEqual(visibleIn(root), ['CN=Contoso_Other_1.0.0.0', 'repository.json'])
    close()
  })
})
