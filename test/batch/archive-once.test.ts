import assert from 'node:assert/strict'
import {mkdirSync, readFileSync, watch, writeFileSync} from 'node:fs'
import path from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {gunzipSync, gzipSync} from 'node:zlib'
import {partsOf, sha256, tarOf, type Member} from '../helpers/archives.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASE = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const TAGS = ['one', 'two', 'three', 'four', 'five', 'six']
/** Longer than a file must rest before it is known again. */
const SETTLED_MS = 2200

/** An archive of images over one base. */
async function archiveOf(tags: readonly string[]): Promise<Buffer> {
  const members = new Map<string, Member[1]>()
  const manifest: object[] = []
  for (const tag of tags) {
    const parts = partsOf([BASE], {author: tag})
    const [layer, config] = [`${sha256(BASE)}.tar`, `${sha256(parts.config)}.json`]
    members.set(layer, BASE).set(config, parts.config)
    manifest.push({Config: config, RepoTags: [`fleet/${tag}:1`], Layers: [layer]})
  }
  return tarOf([...members, ['manifest.json', JSON.stringify(manifest)]])
}

describe('a batch of the images of one archive', () => {
  const folder = temporaryFolder()

  it('unpacks a compressed archive once to plan and once to convert, however many images it has', async () => {
    const archive = path.join(folder.path, 'fleet.tar.gz')
    writeFileSync(archive, gzipSync(await archiveOf(TAGS)))
    const temporary = path.join(folder.path, 'tmp')
    mkdirSync(temporary)
    await setTimeout(SETTLED_MS)
    const spools = new Set<string>()
    const watcher = watch(temporary, (_, name) => {
      if (name !== null) spools.add(name)
    })
    try {
      const args = ['migrate', `docker-archive:${archive}`, 'oci:moved', '--yes']
      const {code, stderr} = await runCli(args, {cwd: folder.path, env: {TMPDIR: temporary}})
      assert.equal(code, 0, stderr)
    } finally {
      watcher.close()
    }
    assert.ok(spools.size >= 1 && spools.size <= 3, [...spools].join())
    const {json} = await runJson(['list', 'oci:moved'], {cwd: folder.path})
    assert.equal((json as {items: unknown[]}).items.length, TAGS.length)
  })
})
