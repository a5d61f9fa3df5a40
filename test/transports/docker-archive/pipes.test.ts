import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {hybridMembers, partsOf, tarOf} from '../../helpers/archives.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))

describe('docker-archive over pipes', () => {
  const folder = temporaryFolder()

  /** Runs a script over the transport in a process of its own, whose standard input and output are pipes. */
  function run(script: string, input: Buffer): Buffer {
    const module = JSON.stringify(path.resolve('dist/src/transports/docker-archive/docker-archive.js'))
    const source = `const {dockerArchive: t} = await import(${module});\n${script}`
    const made = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      input,
      maxBuffer: 2 ** 26,
      env: {...process.env, TMPDIR: folder.path, TEMP: folder.path},
    })
    assert.equal(made.status, 0, made.stderr.toString())
    return made.stdout
  }

  for (const [name, pack] of [
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ] as const)
    it(`reads a ${name} archive from standard input and writes one to standard output, leaving nothing behind`, async () => {
      const parts = partsOf([BASIC, BASIC])
      const tar = await tarOf(hybridMembers(parts))
      const script = `
        const image = await t.open(t.parse('-'), {})
        const destination = await t.create(t.parse('-'), {})
        await destination.write({...image, config: () => image.config}, {})
        await destination.commit({})
        await image.close()`
      const out = run(script, pack(tar))
      const file = path.join(folder.path, `${name}.tar`)
      writeFileSync(file, out)
      const listed = run(
        `console.log(JSON.stringify(await t.list(t.parse(${JSON.stringify(file)}), {})))`,
        Buffer.alloc(0),
      )
      const [item] = JSON.parse(listed.toString()) as {imageId: string}[]
      assert.equal(item!.imageId, parts.imageId)
      assert.deepEqual(
        readdirSync(folder.path).filter((left) => left.startsWith('transship-')),
        [],
      )
    })
})
