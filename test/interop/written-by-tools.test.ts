import assert from 'node:assert/strict'
import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {convert, inspect, verify} from '../../src/index.js'
import {classicMembers, hybridMembers, partsOf, tarOf, type Parts} from '../helpers/archives.js'
import type {ContainerHost} from '../helpers/container-host.js'
import {buildKitLayer, buildpackLayer, craneLayer} from '../helpers/foreign-layers.js'
import {assertExactRoundTrip, topPackage} from '../helpers/round-trip.js'
import {sharedHost} from '../helpers/shared-host.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'
import {layersIn, windowsParts} from '../helpers/windows-images.js'

/** What a tool is given to work on: an archive, the image in it, and a folder to write to. */
interface Given {
  readonly host: ContainerHost
  readonly parts: Parts
  readonly archive: string
  /** Named `docker.io/library/app:1`. */
  readonly target: string
  /** Different for each case: namespace, store or layout. */
  readonly key: string
}

interface Case {
  readonly name: string
  readonly tool: string
  readonly write: (given: Given) => void
  /** The tool keeps the configuration as it is. */
  readonly keepsConfig: boolean
}

function skopeo(from: string, to: string, ...more: readonly string[]): void {
  runTool('skopeo', ['copy', '--quiet', '--insecure-policy', ...more, from, to])
}

/** Loads the archive into a store of its own and saves it from there. */
function podman(format: string) {
  return ({host, archive, target, key}: Given) => {
    const store = [`--root=${host.folder}/${key}`, `--runroot=${host.folder}/${key}-run`, '--storage-driver=vfs']
    const name = /Loaded image: (.*)/.exec(runTool('podman', [...store, 'load', '--input', archive]))?.[1] ?? ''
    runTool('podman', [...store, 'save', '--quiet', '--format', format, '--output', target, name])
  }
}

function containerd(...more: readonly string[]) {
  return ({host, archive, target, key}: Given) => {
    const ctr = ['--address', host.containerdSocket, '--namespace', key, 'images']
    runTool('ctr', [...ctr, 'import', '--all-platforms', '--no-unpack', archive])
    runTool('ctr', [...ctr, 'export', ...more, target, 'docker.io/library/app:1'])
  }
}

const CASES: readonly Case[] = [
  {
    name: 'skopeo, as a Docker archive',
    tool: 'skopeo',
    write: ({archive, target}) => {
      skopeo(`docker-archive:${archive}`, `docker-archive:${target}:app:1`)
    },
    keepsConfig: true,
  },
  {
    name: 'skopeo, as an archive of an OCI layout',
    tool: 'skopeo',
    write: ({archive, target}) => {
      skopeo(`docker-archive:${archive}`, `oci-archive:${target}:1`)
    },
    keepsConfig: false,
  },
  {
    name: 'skopeo, as an archive of an OCI layout, layers packed by zstd',
    tool: 'skopeo',
    write: ({archive, target}) => {
      skopeo(`docker-archive:${archive}`, `oci-archive:${target}:1`, '--dest-compress-format', 'zstd')
    },
    keepsConfig: false,
  },
  {name: 'podman save', tool: 'podman', write: podman('docker-archive'), keepsConfig: true},
  {name: 'podman save --format oci-archive', tool: 'podman', write: podman('oci-archive'), keepsConfig: false},
  {name: 'ctr images export', tool: 'ctr', write: containerd('--platform', 'windows/amd64'), keepsConfig: true},
  {
    name: 'ctr images export --skip-manifest-json',
    tool: 'ctr',
    write: containerd('--all-platforms', '--skip-manifest-json'),
    keepsConfig: true,
  },
]

describe('a Windows image in an archive that the tools of others wrote, to packages and back', () => {
  const folder = temporaryFolder()
  let host: ContainerHost
  let made = 0

  before(async function () {
    this.timeout(120_000)
    host = await sharedHost(this)
  })

  for (const count of [1, 12] as const)
    for (const {name, tool, write, keepsConfig} of CASES)
      it(`keeps image ID and diffIDs of ${count} ${count === 1 ? 'layer' : 'layers'} written by ${name}`, async function () {
        requireTool(this, tool)
        const parts = await windowsParts(count)
        const stem = path.join(folder.path, `${made++}`)
        // containerd reads no links between layers but Docker's own way; Podman keeps what it is not told to be OCI.
        const members = tool === 'ctr' ? hybridMembers(parts) : classicMembers(parts)
        writeFileSync(`${stem}-given.tar`, await tarOf(members))
        write({host, parts, archive: `${stem}-given.tar`, target: `${stem}.tar`, key: `written-${made}`})
        const source = await inspect(`docker-archive:${stem}.tar`)
        assert.deepEqual(
          source.layers.map((layer) => layer.diffId),
          parts.diffIds,
        )
        if (keepsConfig) assert.equal(source.imageId, parts.imageId)
        await assertExactRoundTrip(`${stem}.tar`, stem)
      })

  it('keeps image ID and diffIDs of an image that umoci assembled, with a layer of its own making', async function () {
    for (const tool of ['umoci', 'skopeo']) requireTool(this, tool)
    const stem = path.join(folder.path, 'umoci')
    const layout = `${stem}-layout`
    const umoci = (...args: readonly string[]) => runTool('umoci', args)
    umoci('init', '--layout', layout)
    umoci('new', '--image', `${layout}:app`)
    umoci('config', '--image', `${layout}:app`, '--os', 'windows', '--architecture', 'amd64')
    const [os, web] = await layersIn('samples/shop.tar')
    for (const [index, layer] of [os!, web!].entries()) {
      writeFileSync(`${stem}-${index}.tar`, layer)
      umoci('raw', 'add-layer', '--image', `${layout}:app`, `${stem}-${index}.tar`)
    }
    umoci('insert', '--image', `${layout}:app`, 'samples/payload/greet.c', 'Files/greet.c')
    umoci('insert', '--image', `${layout}:app`, '--whiteout', 'Files/inetpub/wwwroot/iisstart.htm')
    for (const [form, target] of [
      ['docker-archive', `${stem}.tar:app:1`],
      ['oci-archive', `${stem}-oci.tar:1`],
    ] as const)
      skopeo(`oci:${layout}:app`, `${form}:${target}`)
    for (const name of [stem, `${stem}-oci`]) await assertExactRoundTrip(`${name}.tar`, name)
    const squashed = await convert(`docker-archive:${stem}.tar`, `inbox:${stem}-squashed`)
    assert.deepEqual((await verify(`inbox:${stem}-squashed`)).faults, [])
    const [image, flat] = [`docker-archive:${stem}-image.tar`, `docker-archive:${stem}-flat.tar`]
    await convert(topPackage(squashed), image)
    await convert(`docker-archive:${stem}.tar`, flat, {layers: 'squash'})
    for (const written of [image, flat]) assert.deepEqual((await verify(written)).faults, [])
  })

  for (const [name, make] of [
    ['BuildKit', buildKitLayer],
    ['crane', craneLayer],
    ['the buildpacks', buildpackLayer],
  ] as const)
    it(`keeps image ID and diffIDs of layers that ${name} made on Linux, on an operating system and alone`, async () => {
      const layer = await make()
      const [os] = await layersIn('samples/shop.tar')
      for (const layers of [[os!, layer], [layer]]) {
        const stem = path.join(folder.path, `${made++}`)
        writeFileSync(`${stem}.tar`, await tarOf(hybridMembers(partsOf(layers), {compressed: true})))
        await assertExactRoundTrip(`${stem}.tar`, stem)
      }
    })
})
