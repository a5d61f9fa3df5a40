import {Archive} from '../../src/formats/archive-file/archive.js'
import {readOffers} from '../../src/formats/image-archive/read-offers.js'
import {StrictSink, type FaultSink} from '../../src/model/fault-sink.js'
import {partsOf, tarOf, type Member} from './archives.js'
import {chunked} from './bytes.js'

export const [BASE, TOP] = ['base', 'top'].map((text) => Buffer.from(text)) as [Buffer, Buffer]
export const PARTS = partsOf([BASE, TOP])
const configName = `${PARTS.imageId.slice(7)}.json`

export interface Item {
  readonly Config?: string
  readonly RepoTags?: readonly string[] | null
  readonly Layers?: readonly string[] | null
  readonly LayerSources?: object | null
}

export async function archiveOf(members: readonly Member[]): Promise<Archive> {
  return Archive.ofStream(chunked(await tarOf(members)), {title: 'the archive'})
}

/** Reads what an archive offers; faults and warnings by their codes. Faults of parts are gathered as well, or thrown. */
export async function readArchive(members: readonly Member[], gathersParts = true) {
  const archive = await archiveOf(members)
  const codes: string[] = []
  const places: (string | undefined)[] = []
  const warnings: string[] = []
  const sink: FaultSink = {
    get item() {
      return gathersParts ? sink : new StrictSink()
    },
    fault: ({code, at}) => {
      codes.push(code)
      places.push(at.path)
    },
    warn: ({code}) => warnings.push(code),
  }
  try {
    const offers = await readOffers(archive, sink)
    return {offers, images: offers.map(({image}) => image), codes, places, warnings}
  } finally {
    await archive.close()
  }
}

/** An archive with a manifest.json of these items over the parts. */
export function classic(items: readonly Item[], more: readonly Member[] = []): Member[] {
  return [
    ['base.tar', BASE],
    ['top.tar', TOP],
    [configName, PARTS.config],
    ...more,
    [
      'manifest.json',
      JSON.stringify(items.map((item) => ({Config: configName, Layers: ['base.tar', 'top.tar'], ...item}))),
    ],
  ]
}
