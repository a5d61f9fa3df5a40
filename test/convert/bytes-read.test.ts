import assert from 'node:assert/strict'
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, inspect, type WorkEvent} from '../../src/index.js'
import {classicMembers, partsOf, tarOf} from '../helpers/archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const vector = (name: string) => gunzipSync(readFileSync(`test/vectors/${name}/layer.tar.gz`))

/*
 * A layer that is mostly headers, as one of many small files is: what is told to be read is measured like the total that
 * it is shown against, or the progress ends far from it.
 */
describe('the bytes of a layer that are told to be read', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = () => path.join(folder.path, `made-${made++}`)

  for (const compression of ['none', 'gzip'] as const)
    for (const transport of ['inbox', 'appx', 'layout', 'docker-archive', 'oci', 'oci-archive'])
      it(`are those that it is stored with: ${compression} towards ${transport}`, async () => {
        const archive = `${fresh()}.tar`
        writeFileSync(archive, await tarOf(classicMembers(partsOf([vector('basic')]), ['app:1'])))
        const source = `oci:${fresh()}:1`
        await convert(`docker-archive:${archive}`, source, {compression})
        const {layers} = await inspect(source)
        const stored = layers.reduce((sum, {size = 0}) => sum + size, 0)
        const events: WorkEvent[] = []
        const {bytesRead} = await convert(source, `${transport}:${fresh()}`, {
          ...(transport === 'layout' ? {layers: 'squash'} : {}),
          onEvent: (event) => events.push(event),
        })
        assert.ok(stored > 10_000, String(stored))
        // Towards packages once more: which Windows it is has to be known before its package has a name.
        assert.ok([1, 2].includes(bytesRead / stored), `${bytesRead} of ${stored}`)
        const totals = events.flatMap((event) => (event.kind === 'step' ? [event.totalBytes ?? 0] : []))
        assert.equal(
          totals.reduce((sum, total) => sum + total, 0),
          stored,
        )
      })
})
