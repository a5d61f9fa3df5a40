import assert from 'node:assert/strict'
import {appendFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, list} from '../../src/index.js'
import type {MigrateReport} from '../../src/batch/migrate/migration-report.js'
import {classicMembers, partsOf, sha256, tarOf, type Parts} from '../helpers/archives.js'
import {fileOf, layerTarOf} from '../helpers/layer-archives.js'
import {startMemoryRegistry, type MemoryRegistry} from '../helpers/memory-registry.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {layersIn} from '../helpers/windows-images.js'

const TOOLS = ['skopeo', 'podman', 'buildah', 'umoci']

/** Six archives of one operating system, each written by another producer, and what each is called. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  docker: ['contoso/docker:1.0', 'contoso/docker:stable', 'fabrikam/app:nul'],
  skopeo: ['contoso/skopeo:1.0'],
  podman: ['localhost/contoso/podman:1.0'],
  buildah: ['contoso/buildah:2.1'],
  umoci: ['contoso/umoci:3'],
  transship: ['contoso/ours:1.2.3.4'],
}

describe('transship migrate, with archives of six producers, into a repository and back into an image registry', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  const at = (...parts: readonly string[]) => path.join(folder.path, ...parts)
  const env = {XDG_STATE_HOME: path.join('/', 'nonexistent'), TRANSSHIP_CONFIG: ''}
  let registry: MemoryRegistry
  let back: MigrateReport

  const migrate = async (args: readonly string[], journal: string) => {
    const result = await runJson(['migrate', ...args, '--journal', at(journal)], {cwd: folder.path, env})
    await assertSchema('migrate', result.json)
    return {...result, report: result.json as MigrateReport}
  }

  async function partsFor(name: string): Promise<Parts> {
    const [os, web] = await layersIn('samples/shop.tar')
    return partsOf([os!, web!, await layerTarOf([fileOf('Files/app.txt', `made for ${name}`)])])
  }

  /** A store of its own, in the folder, for tools that keep images. */
  const storeOf = (name: string) => [
    '--root',
    at(`${name}-store`),
    '--runroot',
    at(`${name}-run`),
    '--storage-driver=vfs',
  ]

  before(async function () {
    for (const tool of TOOLS) requireTool(this, tool)
    registry = await startMemoryRegistry()
    mkdirSync(at('images'))
    for (const [name, [first = '', ...others]] of Object.entries(NAMES)) {
      const given = at(`${name}.tar`)
      writeFileSync(given, await tarOf(classicMembers(await partsFor(name), [first, ...others])))
      const target = at('images', `${name}.tar`)
      const from = `docker-archive:${given}`
      if (name === 'docker')
        writeFileSync(target, await tarOf(classicMembers(await partsFor(name), [first, ...others])))
      else if (name === 'skopeo')
        runTool('skopeo', ['copy', '--quiet', '--insecure-policy', from, `docker-archive:${target}:${first}`])
      else if (name === 'podman') {
        runTool('podman', [...storeOf(name), 'load', '--input', given])
        runTool('podman', [...storeOf(name), 'tag', first.replace('localhost/', ''), first])
        runTool('podman', [
          ...storeOf(name),
          'save',
          '--quiet',
          '--format',
          'docker-archive',
          '--output',
          target,
          first,
        ])
      } else if (name === 'buildah') {
        const id = runTool('buildah', [...storeOf(name), 'pull', '--quiet', from]).trim()
        runTool('buildah', [...storeOf(name), 'push', '--quiet', id, `oci-archive:${target}:${first}`])
      } else if (name === 'umoci') {
        const layout = at('umoci-layout')
        const umoci = (...args: readonly string[]) => runTool('umoci', args)
        umoci('init', '--layout', layout)
        umoci('new', '--image', `${layout}:app`)
        umoci('config', '--image', `${layout}:app`, '--os', 'windows', '--architecture', 'amd64')
        for (const [index, layer] of (await layersIn(given)).entries()) {
          writeFileSync(at(`umoci-${index}.tar`), layer)
          umoci('raw', 'add-layer', '--image', `${layout}:app`, at(`umoci-${index}.tar`))
        }
        runTool('skopeo', [
          'copy',
          '--quiet',
          '--insecure-policy',
          `oci:${layout}:app`,
          `oci-archive:${target}:${first}`,
        ])
      } else await convert(from, `docker-archive:${target}`, {compression: 'gzip'})
    }
  })

  after(() => registry.stop())

  it('asks before it writes, and says how to go on where nobody can be asked', async () => {
    const {code, stdout, stderr} = await runCli(
      ['migrate', 'images', 'inbox:repository', '--journal', at('a.journal')],
      {
        cwd: folder.path,
        env,
      },
    )
    assert.equal(code, 2)
    assert.match(stdout.toString(), /^6 items to convert/m)
    assert.match(stderr, /Nothing was written.*--yes/)
    await assert.rejects(list(`inbox:${at('repository')}`))
  })

  it('makes packages of all of them, verified, and has nothing left to do the second time', async () => {
    const {code, report} = await migrate(['images', 'inbox:repository', '--yes'], 'there.journal')
    assert.deepEqual([code, report.state], [0, 'done'], JSON.stringify(report.batch?.items.map(({failure}) => failure)))
    assert.deepEqual([report.items.length, report.batch!.totals.converted], [6, 6])
    assert.ok(
      report.batch!.items.every(({result}) => result!.exact),
      JSON.stringify(report.batch!.items.map(({result}) => result!.inexact)),
    )
    assert.ok(report.verified!.length >= 8 && report.verified!.every(({ok}) => ok))
    const again = await migrate(['images', 'inbox:repository', '--yes'], 'there.journal')
    assert.deepEqual([again.code, again.report.batch!.totals.alreadyDone], [0, 6])
  })

  it('brings every tag and digest back, and nothing but the six images', async () => {
    const host = `docker://${registry.host}`
    const {code, report} = await migrate(['inbox:repository', host, '--yes'], 'back.journal')
    back = report
    assert.deepEqual([code, report.state], [0, 'done'], JSON.stringify(report, undefined, 1).slice(0, 3000))
    // Neither the operating system nor the lower packages of a chain are images of their own.
    assert.equal(new Set(report.items.map(({source}) => source)).size, 6)
    assert.deepEqual(new Set(report.items.map(({content}) => content)), new Set(['unchanged']))
    for (const [name, names] of Object.entries(NAMES)) {
      const transport = ['buildah', 'umoci'].includes(name) ? 'oci-archive' : 'docker-archive'
      const source = await inspect(`${transport}:${at('images', `${name}.tar`)}`)
      for (const each of names) {
        const tagged = await inspect(`${host}/${each.replace('localhost/', '')}`)
        assert.equal(tagged.imageId, source.imageId, each)
        if (source.manifestDigest !== undefined) assert.equal(tagged.manifestDigest, source.manifestDigest, each)
        assert.deepEqual(
          tagged.layers.map(({diffId}) => diffId),
          source.layers.map(({diffId}) => diffId),
        )
      }
    }
    const tags = (await list(`${host}/contoso/docker`)).items.flatMap(({names}) => names)
    assert.equal(tags.length, 2)
  })

  it('names the one file that was edited since, and migrates that package alone', async () => {
    const edited = back.items.find(({source}) => source.includes('contoso_skopeo'))!
    const fullName = edited.source.slice(edited.source.indexOf('CN='))
    const file = at('repository', fullName, 'Files', 'app.txt')
    // An editor that keeps the form of carriers.
    writeFileSync(file, readFileSync(file, 'latin1').replace('made for', 'MADE FOR'), 'latin1')
    const host = `docker://${registry.host}`
    const {report, code} = await migrate(['inbox:repository', host, '--dry-run'], 'back.journal')
    const changed = report.items.filter(({content}) => content !== 'unchanged')
    assert.deepEqual(
      changed.map(({source, content, changes}) => [source, content, changes.map(({file, kind}) => [file, kind])]),
      [[edited.source, 'edited', [['Files/app.txt', 'changed']]]],
    )
    assert.deepEqual([code, report.state], [0, 'planned'])
    assert.deepEqual(
      report.items.map(({state}) => state).filter((state) => state !== 'already-done'),
      ['to-do'],
    )
    const shown = await runCli(['migrate', 'inbox:repository', host, '--dry-run', '--journal', at('back.journal')], {
      cwd: folder.path,
      env,
    })
    assert.match(
      shown.stdout.toString(),
      /Packages: \d+ unchanged, 1 edited\.\nEdited: .*contoso_skopeo.*\n {2}changed {2}Files\/app\.txt\n/,
    )
    const before = await inspect(`${host}/contoso/skopeo:1.0`)
    const {report: run} = await migrate(['inbox:repository', host, '--yes'], 'back.journal')
    assert.equal(run.state, 'done', JSON.stringify(run.batch?.items.flatMap(({failure}) => failure ?? [])))
    const after = await inspect(`${host}/contoso/skopeo:1.0`)
    assert.notEqual(after.imageId, before.imageId)
    assert.deepEqual(
      after.layers.slice(0, 2).map(({diffId}) => diffId),
      before.layers.slice(0, 2).map(({diffId}) => diffId),
    )
  })

  it('refuses a file that an editor broke, before anything is written', async () => {
    const {items} = await list(`inbox:${at('repository')}`)
    const identity = items.find(({identity = ''}) => identity.includes('_umoci_'))!.identity!
    appendFileSync(at('repository', identity, 'Files', 'app.txt'), ', and edited by hand')
    const to = `docker-archive:${at('broken.tar')}`
    const {code, report} = await migrate([`inbox:repository:umoci`, to, '--yes'], 'broken.journal')
    assert.deepEqual([code, report.state, report.batch], [1, 'refused', undefined])
    assert.equal(report.items[0]!.failure!.code, 'CARRIER_CORRUPT')
    assert.match(report.items[0]!.failure!.what, /Files\/app\.txt/)
    await assert.rejects(convert(`inbox:${at('repository')}:umoci`, to), {code: 'CARRIER_CORRUPT'})
  })

  it('refuses what was made on an edited package, before anything is written', async () => {
    const {items} = await list(`inbox:${at('repository')}`)
    const lower = items.find(({identity = ''}) => identity.includes('contoso_ours-L'))!.identity!
    const file = at('repository', lower, 'Files', 'added.txt')
    writeFileSync(file, sha256('never here'))
    const {code, report} = await migrate(
      ['inbox:repository:ours', `docker-archive:${at('ours.tar')}`, '--yes'],
      'ours.journal',
    )
    assert.deepEqual([code, report.state, report.batch], [1, 'refused', undefined])
    const [refused] = report.items
    assert.equal(refused!.failure!.code, 'DEPENDENCY_MISMATCH')
    assert.match(`${refused!.failure!.what} ${refused!.failure!.why!}`, /contoso_ours-L.*Files\/added\.txt/)
    assert.deepEqual(
      refused!.changes.map((change) => [change.package, change.file, change.kind]),
      [[lower, 'Files/added.txt', 'added']],
    )
  })
})
