import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {digestOf} from '../../src/model/digest.js'
import {tarOf} from '../helpers/archives.js'
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

async function archiveOf(file: string, count: number): Promise<void> {
  const images = Array.from({length: count}, (_, index) => {
    const config = {
      os: 'windows',
      architecture: 'amd64',
      created: String(index),
      rootfs: {type: 'layers', diff_ids: []},
    }
    const bytes = Buffer.from(JSON.stringify(config))
    return {name: `${digestOf(bytes).slice(7)}.json`, bytes, tag: `fleet/app${String(index)}:1`}
  })
  const manifest = images.map(({name, tag}) => ({Config: name, RepoTags: [tag], Layers: []}))
  const members = images.map(({name, bytes}) => [name, bytes] as const)
  writeFileSync(file, await tarOf([...members, ['manifest.json', JSON.stringify(manifest)]]))
}

/** `list` of archives of more and more images. */
export async function scalingRows(folder: string, counts: readonly number[], rounds: number): Promise<ScalingRow[]> {
  const seconds: number[] = []
  for (const count of [1, ...counts]) {
    const file = path.join(folder, `images-${count}.tar`)
    await archiveOf(file, count)
    const runs: number[] = []
    for (let round = 0; round < rounds; round++)
      runs.push((await transship(folder, 'list', `docker-archive:${file}`)).cpuSeconds)
    seconds.push(median(runs))
  }
  const [nothing = 0, ...times] = seconds
  const [before = 0, last = 0] = times.slice(-2).map((each) => each - nothing)
  const [fewer = 1, most = 1] = counts.slice(-2)
  const growth = before <= 0 ? 1 : last / before / (most / fewer)
  return [{name: 'list of an archive, by images', counts, cpuSeconds: times, growth}]
}
