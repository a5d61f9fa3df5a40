import assert from 'node:assert/strict'
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../src/convert/convert.js'
import {verify} from '../../src/convert/verify.js'
import {writeFixture} from '../bench/fixture.js'
import {sha256} from '../helpers/archives.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** More entries than are read back on the thread that writes them. */
const SIZE = {files: 3300, bytes: 3300 * 900, layers: 3}
const CONCURRENCIES = [1, 2, 8]

/** Every file of a tree by its path, with its bytes and its time; what tells when it was made left out. */
function treeOf(root: string): Record<string, string> {
  if (statSync(root).isFile()) return {'': sha256(readFileSync(root))}
  const names = readdirSync(root, {recursive: true, encoding: 'utf8'}).sort()
  return Object.fromEntries(
    names
      .map((name) => [name, statSync(path.join(root, name))] as const)
      .filter(([, stats]) => stats.isFile())
      .map(([name, {mtimeMs}]) => {
        const isPayload = /[\\/](?:Files|Hives|UtilityVM)[\\/]/.test(name)
        return [name, `${sha256(readFileSync(path.join(root, name)))} ${isPayload ? String(mtimeMs) : ''}`]
      }),
  )
}

describe('a conversion at any concurrency', function () {
  this.timeout(120_000)
  const folder = temporaryFolder()
  const archive = () => path.join(folder.path, 'image.tar')
  const target = (name: string) => path.join(folder.path, name)
  before(() => writeFixture(archive(), SIZE))

  for (const [transport, options] of [
    ['inbox', {layers: 'chain'}],
    ['inbox', {layers: 'squash'}],
    ['appx', {layers: 'chain'}],
    ['oci', {compression: 'gzip'}],
    ['docker-archive', {}],
  ] as const) {
    const title = `${transport} ${JSON.stringify(options)}`
    it(`writes the same bytes and tells the same: ${title}`, async () => {
      const results = []
      for (const concurrency of CONCURRENCIES) {
        const place = target(`${transport}-${Object.values(options).join('')}-${String(concurrency)}`)
        const report = await convert(`docker-archive:${archive()}`, `${transport}:${place}`, {...options, concurrency})
        const {exact, inexact, losses, notes, artifacts} = report
        const told = JSON.stringify({exact, inexact, losses, notes, artifacts}).replaceAll(
          JSON.stringify(place).slice(1, -1),
          '',
        )
        results.push({tree: treeOf(place), told})
      }
      const [first, ...others] = results
      for (const other of others) assert.deepEqual(other, first)
    })
  }

  it('is exact by what another thread has read back, and comes back', async () => {
    const report = await convert(`docker-archive:${archive()}`, `inbox:${target('packages')}`, {
      layers: 'chain',
      concurrency: 2,
    })
    assert.equal(report.exact, true)
    assert.deepEqual(
      report.artifacts.map(({layers}) => layers.map(({rebuilt}) => rebuilt)),
      [[true], [true], [true]],
    )
    assert.deepEqual((await verify(`inbox:${target('packages')}`)).faults, [])
    const back = await convert(report.artifacts.at(-1)!.reference, `docker-archive:${target('back.tar')}`)
    const direct = await convert(`docker-archive:${archive()}`, `docker-archive:${target('direct.tar')}`)
    assert.equal(back.artifacts[0]!.imageId, direct.artifacts[0]!.imageId)
  })

  it('leaves nothing when it is stopped while a package is read back', async () => {
    const place = target('stopped')
    for (const count of [2, 3]) {
      const stop = new AbortController()
      let steps = 0
      await assert.rejects(
        convert(`docker-archive:${archive()}`, `inbox:${place}`, {
          layers: 'chain',
          concurrency: 2,
          signal: stop.signal,
          onEvent: ({kind}) => {
            if (kind === 'step' && ++steps === count) stop.abort(new Error('stopped'))
          },
        }),
        /stopped/,
      )
      assert.equal(existsSync(place), false)
    }
  })
})
