import assert from 'node:assert/strict'
import {lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gunzipSync} from 'node:zlib'
import {convert, verify} from '../../src/index.js'
import {formatVerify} from '../../src/terminal/verify-text.js'
import {TransshipError} from '../../src/model/errors.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Member} from '../helpers/archives.js'
import {descriptorOf, LayoutBuilder, OCI, tagged} from '../helpers/layouts.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const BASIC = gunzipSync(readFileSync('test/vectors/basic/layer.tar.gz'))
const LINKS = gunzipSync(readFileSync('test/vectors/reparse-tombstones/layer.tar.gz'))
const PARTS = partsOf([BASIC, LINKS])

/** What verifying ends with: 0, or 1 with the codes of its faults, or another exit with the code of the error. */
async function outcomeOf(
  reference: string,
  options: Parameters<typeof verify>[1] = {},
): Promise<readonly [number, ...string[]]> {
  try {
    const {ok, faults} = await verify(reference, options)
    assert.equal(ok, faults.length === 0)
    return [ok ? 0 : 1, ...new Set(faults.map(({code}) => code))]
  } catch (error) {
    assert.ok(error instanceof TransshipError, String(error))
    return [error.exitCode, error.code]
  }
}

interface Place {
  readonly transport: string
  /** True for one file. */
  readonly isFile: boolean
  /** Makes a sound one there, and gives its reference. */
  readonly make: (place: string) => Promise<string>
  /** The only reference that has a selector, for what does not exist. */
  readonly selecting?: (place: string) => string
}

function filesIn(place: string): string[] {
  if (statSync(place).isFile()) return [place]
  return readdirSync(place, {recursive: true, encoding: 'utf8'})
    .map((name) => path.join(place, name))
    .filter((name) => lstatSync(name).isFile())
    .sort()
}

describe('verifying ends with', () => {
  const folder = temporaryFolder()
  let made = 0
  const fresh = (name = 'place') => path.join(folder.path, `${made++}-${name}`)
  let source: string

  before(async () => {
    source = `docker-archive:${fresh('source.tar')}`
    writeFileSync(source.slice(15), await tarOf(classicMembers(PARTS)))
  })

  const convertTo =
    (transport: string, options: Parameters<typeof convert>[2] = {}) =>
    async (place: string) => {
      await convert(source, `${transport}:${place}`, options)
      return `${transport}:${place}`
    }

  const PLACES: readonly Place[] = [
    {
      transport: 'docker-archive',
      isFile: true,
      make: convertTo('docker-archive'),
      selecting: (place) => `docker-archive:${place}:nosuch:1`,
    },
    {
      transport: 'oci-archive',
      isFile: true,
      make: convertTo('oci-archive'),
      selecting: (place) => `oci-archive:${place}:no`,
    },
    {transport: 'oci', isFile: false, make: convertTo('oci'), selecting: (place) => `oci:${place}:no`},
    {
      transport: 'inbox',
      isFile: false,
      make: convertTo('inbox', {layers: 'chain'}),
      selecting: (place) => `inbox:${place}:Nosuch`,
    },
    {
      transport: 'appx',
      isFile: false,
      make: convertTo('appx', {layers: 'chain'}),
      selecting: (place) => `appx:${place}:Nosuch`,
    },
    {
      transport: 'appx',
      isFile: true,
      make: async (place) => {
        await convertTo('appx', {layers: 'squash', osLayers: 0})(`${place}.appx`)
        return `appx:${place}.appx`
      },
    },
    {transport: 'layout', isFile: false, make: convertTo('layout', {layers: 'squash', osLayers: 0})},
  ]

  for (const {transport, isFile, make, selecting} of PLACES) {
    const name = `${transport} (a ${isFile ? 'file' : 'folder'})`

    it(`0 for ${name} that is sound, and its words say so`, async () => {
      const reference = await make(fresh())
      const report = await verify(reference)
      assert.deepEqual([report.faults, report.ok], [[], true])
      assert.match(formatVerify(report), / is sound \(/)
    })

    it(`3 for ${name} that is not there`, async () => {
      assert.deepEqual(await outcomeOf(`${transport}:${fresh()}${isFile && transport === 'appx' ? '.appx' : ''}`), [
        3,
        'NOT_FOUND',
      ])
    })

    for (const [what, bytes] of [
      ['an empty file', Buffer.alloc(0)],
      ['three bytes', Buffer.from('abc')],
      ['a page', Buffer.from('<html><body>Not found</body></html>\n'.repeat(100))],
      ['random bytes', Buffer.from(Array.from({length: 5000}, (_, index) => (index * 7919 + 13) % 251))],
    ] as const)
      it(`3 for ${name} that is ${what}`, async () => {
        const file = `${fresh()}.appx`
        writeFileSync(file, bytes)
        const [exit, code = ''] = await outcomeOf(`${transport}:${file}`)
        const codes = ['UNRECOGNISED_FORMAT', isFile ? 'ARCHIVE_TRUNCATED' : 'NOT_FOUND']
        assert.deepEqual([exit, codes.includes(code)], [3, true], code)
      })

    it(`3 for ${name} that is a folder of something else`, async () => {
      const place = fresh()
      mkdirSync(path.join(place, 'photos'), {recursive: true})
      writeFileSync(path.join(place, 'notes.txt'), 'x')
      assert.deepEqual(await outcomeOf(`${transport}:${place}`), [3, 'UNRECOGNISED_FORMAT'])
    })

    it(`3 for ${name} that is an empty folder`, async () => {
      const place = fresh()
      mkdirSync(place)
      assert.deepEqual(await outcomeOf(`${transport}:${place}`), [3, 'UNRECOGNISED_FORMAT'])
    })

    if (selecting !== undefined)
      it(`3 for what is not in ${name}`, async () => {
        const place = fresh()
        await make(place)
        assert.deepEqual(await outcomeOf(selecting(place)), [3, 'NOT_FOUND'])
      })

    it(`1 for ${name} of which any file was cut in half`, async () => {
      const whole = fresh()
      const reference = await make(whole)
      const location = reference.slice(transport.length + 1)
      for (const file of filesIn(location)) {
        const bytes = readFileSync(file)
        if (bytes.length < 2 || file.endsWith('repository.json')) continue
        writeFileSync(file, bytes.subarray(0, bytes.length >> 1))
        const [exit, ...codes] = await outcomeOf(reference)
        assert.deepEqual(
          [exit, codes.length > 0],
          [1, true],
          `${path.relative(location, file)}: ${exit} ${codes.join()}`,
        )
        writeFileSync(file, bytes)
      }
      // The index of a bare layout lies beside it.
      assert.deepEqual(await outcomeOf(reference), [0])
    })

    if (!isFile)
      it(`1 for ${name} of which any file is gone`, async () => {
        const whole = fresh()
        const reference = await make(whole)
        for (const file of filesIn(whole)) {
          // What only marks the folder, and a package that nothing depends on, is not missed.
          if (file.endsWith('repository.json') || transport === 'appx') continue
          const bytes = readFileSync(file)
          rmSync(file)
          const [exit, ...codes] = await outcomeOf(reference)
          assert.deepEqual(
            [exit, codes.length > 0],
            [1, true],
            `${path.relative(whole, file)}: ${exit} ${codes.join()}`,
          )
          writeFileSync(file, bytes)
        }
      })
  }

  it('1 for packages whose dependency is gone, in both of their forms', async () => {
    for (const transport of ['inbox', 'appx']) {
      const place = fresh()
      const {artifacts} = await convert(source, `${transport}:${place}`, {layers: 'chain'})
      const base = readdirSync(place).find((name) => name.startsWith(artifacts[0]!.identity!))!
      rmSync(path.join(place, base), {recursive: true})
      assert.deepEqual(await outcomeOf(`${transport}:${place}`), [1, 'DEPENDENCY_MISSING'])
    }
  })

  it('1 for a package that gives back another layer tar than it was made of', async () => {
    const place = fresh()
    await convert(source, `inbox:${place}`, {layers: 'chain'})
    const [name] = readdirSync(place).filter((each) => each.startsWith('CN='))
    const file = path.join(place, name!, 'metadata.json')
    const text = readFileSync(file, 'utf8')
    const [, diffId] = /"DiffID":\s*"(sha256:[0-9a-f]{64})"/.exec(text)!
    writeFileSync(file, text.replaceAll(diffId!, `sha256:${'0'.repeat(64)}`))
    const report = await verify(`inbox:${place}`)
    assert.equal(report.ok, false)
    assert.ok(report.layers.some(({reproducible}) => reproducible === false))
    assert.ok(report.faults.length > 0)
  })

  describe('1 for an OCI layout', () => {
    const sound = () => {
      const builder = new LayoutBuilder()
      builder.manifests.push({...builder.image(PARTS), ...tagged('1.0')})
      return builder
    }
    const lost = (mediaType: string, more: object = {}) => descriptorOf(mediaType, `lost ${mediaType}`, more)
    const artifact = (builder: LayoutBuilder, layers: readonly object[], more: object = {}) =>
      builder.blob(
        OCI.manifest,
        JSON.stringify({
          schemaVersion: 2,
          mediaType: OCI.manifest,
          artifactType: 'application/vnd.example.sbom',
          config: builder.blob('application/vnd.oci.empty.v1+json', '{}'),
          layers,
          ...more,
        }),
      )
    const types = [
      OCI.manifest,
      OCI.index,
      OCI.layer,
      OCI.config,
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.example.anything',
      'text/plain',
    ]
    const rows: readonly {title: string; build: () => LayoutBuilder; code: string}[] = [
      ...types.flatMap((type) => [
        {
          title: `whose index.json names a blob of ${type} that is not there`,
          build: () => {
            const builder = sound()
            builder.manifests.push(lost(type))
            return builder
          },
          code: 'MANIFEST_MISSING',
        },
        {
          title: `whose nested index names a blob of ${type} that is not there`,
          build: () => {
            const builder = new LayoutBuilder()
            builder.manifests.push({...builder.index([builder.image(PARTS), lost(type)]), ...tagged('1.0')})
            return builder
          },
          code: 'MANIFEST_MISSING',
        },
      ]),
      {
        title: 'whose artifact names a blob that is not there',
        build: () => {
          const builder = sound()
          builder.manifests.push(artifact(builder, [lost('application/spdx+json')]))
          return builder
        },
        code: 'LAYER_MISSING',
      },
      {
        title: 'whose artifact names a blob of another size',
        build: () => {
          const builder = sound()
          builder.manifests.push(artifact(builder, [{...builder.blob('application/spdx+json', 'document'), size: 3}]))
          return builder
        },
        code: 'SIZE_MISMATCH',
      },
      {
        title: 'whose attestation names a blob that is not there',
        build: () => {
          const builder = sound()
          const annotations = {'vnd.docker.reference.type': 'attestation-manifest'}
          builder.manifests.push({...artifact(builder, [lost('application/vnd.in-toto+json')]), annotations})
          return builder
        },
        code: 'LAYER_MISSING',
      },
      {
        title: 'of which a blob of an unknown type has another size',
        build: () => {
          const builder = sound()
          builder.manifests.push({...builder.blob('text/plain', 'hello'), size: 4})
          return builder
        },
        code: 'SIZE_MISMATCH',
      },
    ]
    for (const {title, build, code} of rows)
      it(title, async () => {
        const builder = build()
        const root = fresh('layout')
        builder.writeFolder(root)
        await builder.writeTar(`${root}.tar`)
        for (const reference of [`oci:${root}`, `oci-archive:${root}.tar`])
          assert.deepEqual(await outcomeOf(reference), [1, code], reference)
        // What is selected by name is whole.
        if (!title.includes('nested')) assert.deepEqual(await outcomeOf(`oci:${root}:1.0`), [0])
      })

    it('that lacks one of its two marks', async () => {
      for (const [name, code] of [
        ['oci-layout', 'ARCHIVE_CORRUPT'],
        ['index.json', 'MANIFEST_MISSING'],
      ] as const) {
        const root = fresh('layout')
        sound().writeFolder(root)
        rmSync(path.join(root, name))
        assert.deepEqual(await outcomeOf(`oci:${root}`), [1, code])
      }
    })

    it('but not where the platform that is asked for is there, and 3 where it is not', async () => {
      const builder = new LayoutBuilder()
      const platform = {os: 'windows', architecture: 'amd64'}
      const other = lost(OCI.manifest, {platform: {os: 'linux', architecture: 'arm64'}})
      builder.manifests.push({...builder.index([{...builder.image(PARTS), platform}, other]), ...tagged('1.0')})
      const root = fresh('layout')
      builder.writeFolder(root)
      assert.deepEqual(await outcomeOf(`oci:${root}`, {platform: 'windows/amd64'}), [0])
      assert.deepEqual(await outcomeOf(`oci:${root}`, {platform: 'windows/arm64'}), [3, 'PLATFORM_UNSUPPORTED'])
      assert.deepEqual(await outcomeOf(source, {platform: 'linux/arm64'}), [3, 'PLATFORM_UNSUPPORTED'])
    })
  })

  it('1 for an archive of docker save whose index.json names what is not there, of whatever type', async () => {
    for (const type of [OCI.manifest, OCI.layer, 'text/plain']) {
      const members = hybridMembers(PARTS).map(([name, body]): Member => {
        if (name !== 'index.json') return [name, body]
        const index = JSON.parse(body as string) as {manifests: object[]}
        return [name, JSON.stringify({...index, manifests: [...index.manifests, descriptorOf(type, 'lost')]})]
      })
      const file = fresh('image.tar')
      writeFileSync(file, await tarOf(members))
      assert.deepEqual(await outcomeOf(`docker-archive:${file}`), [1, 'MANIFEST_MISSING'], type)
    }
  })

  it('1 for a layer of Linux with a member that has no name', async () => {
    for (const type of ['0', '5']) {
      const nameless = Buffer.from((await tarOf([['zz', 'body']])).subarray(0, type === '0' ? 1024 : 512))
      nameless.fill(0, 0, 100)
      nameless.write(type, 156)
      if (type === '5') nameless.write('00000000000\0', 124)
      nameless.fill(0x20, 148, 156)
      const sum = nameless.subarray(0, 512).reduce((total, byte) => total + byte, 0)
      nameless.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
      const parts = partsOf([Buffer.concat([nameless, await tarOf([['a', 'x']])])], {os: 'linux'})
      const file = fresh('image.tar')
      writeFileSync(file, await tarOf(classicMembers(parts)))
      assert.deepEqual(await outcomeOf(`docker-archive:${file}`), [1, 'NAME_UNSAFE'], type)
    }
  })

  it('3 for a zip that is no package, and for tars that hold no image', async () => {
    const zip = `${fresh('empty')}.appx`
    writeFileSync(zip, Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]))
    assert.deepEqual(await outcomeOf(`appx:${zip}`), [3, 'UNRECOGNISED_FORMAT'])
    const tar = fresh('other.tar')
    writeFileSync(tar, await tarOf([['notes.txt', 'x']]))
    for (const transport of ['docker-archive', 'oci-archive'])
      assert.deepEqual(await outcomeOf(`${transport}:${tar}`), [3, 'UNRECOGNISED_FORMAT'])
    writeFileSync(tar, Buffer.alloc(1024))
    for (const transport of ['docker-archive', 'oci-archive'])
      assert.deepEqual(await outcomeOf(`${transport}:${tar}`), [3, 'UNRECOGNISED_FORMAT'])
  })

  it('0 for what is only named, and tells what was not read', async () => {
    const place = fresh()
    await convert(source, `inbox:${place}`, {layers: 'chain', osLayers: 1, withoutBase: true})
    const report = await verify(`inbox:${place}`)
    assert.deepEqual([report.ok, report.notes.map(({code}) => code)], [true, ['not-read']])
    assert.match(formatVerify(report), /is sound as far as it was read/)
  })
})
