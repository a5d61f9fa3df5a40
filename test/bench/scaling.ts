import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {gzipSync} from 'node:zlib'
import {writePackage} from '../../src/formats/package/write-package.js'
import {formatFullName} from '../../src/model/package-identity.js'
import {partsOf, sha256, tarOf, type Member, type Parts} from '../helpers/archives.js'
import {fileEntry} from '../helpers/file-system-model.js'
import {LayoutBuilder} from '../helpers/layouts.js'
import {draftWith} from '../helpers/written-packages.js'
import {transship} from './contenders.js'
import {median} from './measured.js'

/** Of one thing, how CPU time grows as its number doubles; 1 is in proportion. */
export interface ScalingRow {
  readonly name: string
  readonly counts: readonly number[]
  readonly cpuSeconds: readonly number[]
  /** Growth of the time above that of nothing, by growth of the number, for the last doubling. */
  readonly growth: number
}

/** What grows: images of one place. */
interface Growing {
  readonly name: string
  /** Writes a place with so many images into the folder and gives what to call with it. */
  readonly write: (folder: string, count: number) => Promise<readonly string[]>
  /** For `counts` times this many. */
  readonly share: number
}

/** Images with a layer that all share and one of their own. */
async function imagesOf(count: number): Promise<readonly {readonly parts: Parts; readonly tag: string}[]> {
  const base = await tarOf([
    ['Files/', ''],
    ['Files/base.txt', 'base'],
  ])
  const images: {parts: Parts; tag: string}[] = []
  for (let index = 0; index < count; index++)
    images.push({
      parts: partsOf([
        base,
        await tarOf([
          ['Files/', ''],
          ['Files/app.txt', `app ${index}`],
        ]),
      ]),
      tag: `app${index}:1`,
    })
  return images
}

async function archiveOf(count: number): Promise<Buffer> {
  const members = new Map<string, Member[1]>()
  const manifest: object[] = []
  for (const {parts, tag} of await imagesOf(count)) {
    const layers = parts.layers.map((layer) => `${sha256(layer)}.tar`)
    for (const [index, name] of layers.entries()) members.set(name, parts.layers[index] ?? '')
    const config = `${sha256(parts.config)}.json`
    members.set(config, parts.config)
    manifest.push({Config: config, RepoTags: [`fleet/${tag}`], Layers: layers})
  }
  return tarOf([...members, ['manifest.json', JSON.stringify(manifest)]])
}

async function layoutOf(count: number): Promise<LayoutBuilder> {
  const layout = new LayoutBuilder()
  for (const {parts, tag} of await imagesOf(count)) {
    const annotations = {
      'io.containerd.image.name': `docker.io/fleet/${tag}`,
      'org.opencontainers.image.ref.name': tag.replace(':', '-'),
    }
    layout.manifests.push(layout.image(parts, {more: {annotations}}))
  }
  return layout
}

const ARCHIVE = async (folder: string, count: number) => {
  const file = path.join(folder, `images-${count}.tar`)
  writeFileSync(file, await archiveOf(count))
  return `docker-archive:${file}`
}
const DRY_RUN = (source: string) => ['migrate', source, 'inbox:planned', '--dry-run']

const GROWING: readonly Growing[] = [
  {
    name: '`list` of an archive, by images',
    share: 1,
    write: async (folder, count) => ['list', await ARCHIVE(folder, count)],
  },
  {
    name: '`migrate --dry-run` of an archive, by images',
    share: 0.125,
    write: async (folder, count) => DRY_RUN(await ARCHIVE(folder, count)),
  },
  {
    name: '`migrate --dry-run` of an archive in gzip, by images',
    share: 0.125,
    async write(folder, count) {
      const file = path.join(folder, `images-${count}.tar.gz`)
      writeFileSync(file, gzipSync(await archiveOf(count)))
      return DRY_RUN(`docker-archive:${file}`)
    },
  },
  {
    name: '`migrate --dry-run` of an OCI layout, by images',
    share: 0.125,
    async write(folder, count) {
      const layout = path.join(folder, `layout-${count}`)
      ;(await layoutOf(count)).writeFolder(layout)
      return DRY_RUN(`oci:${layout}`)
    },
  },
  {
    name: '`migrate --dry-run` of an OCI layout in a tar, by images',
    share: 0.125,
    async write(folder, count) {
      const file = path.join(folder, `layout-${count}.tar`)
      await (await layoutOf(count)).writeTar(file)
      return DRY_RUN(`oci-archive:${file}`)
    },
  },
  {
    name: '`migrate --dry-run` of a repository, by packages',
    share: 0.125,
    async write(folder, count) {
      const root = path.join(folder, `packages-${count}`)
      mkdirSync(root)
      for (let index = 0; index < count; index++) {
        const draft = await draftWith(`App${index}`, [fileEntry('Files/app.txt', `app ${index}`)])
        await writePackage(path.join(root, formatFullName(draft.metadata.identity)), draft, {lower: []})
      }
      return ['migrate', `inbox:${root}`, 'docker-archive:planned/', '--dry-run']
    },
  },
]

/** Commands on places with more and more images. */
export async function scalingRows(folder: string, counts: readonly number[], rounds: number): Promise<ScalingRow[]> {
  const rows: ScalingRow[] = []
  for (const growing of GROWING) rows.push(await scalingRow(growing, folder, {counts, rounds}))
  return rows
}

async function scalingRow(
  {name, share, write}: Growing,
  folder: string,
  {counts: whole, rounds}: {readonly counts: readonly number[]; readonly rounds: number},
): Promise<ScalingRow> {
  const counts = whole.map((count) => Math.ceil(count * share))
  const seconds: number[] = []
  for (const count of [1, ...counts]) {
    const args = await write(folder, count)
    const runs: number[] = []
    for (let round = 0; round < rounds; round++) runs.push((await transship(folder, ...args)).cpuSeconds)
    seconds.push(median(runs))
  }
  const [nothing = 0, ...times] = seconds
  const [before = 0, last = 0] = times.slice(-2).map((each) => each - nothing)
  const [fewer = 1, most = 1] = counts.slice(-2)
  const growth = before <= 0 ? 1 : last / before / (most / fewer)
  return {name, counts, cpuSeconds: times, growth}
}
