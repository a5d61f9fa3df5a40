import type {Digest} from '../model/digest.js'
import {digestOf} from '../model/digest.js'
import type {Note} from '../model/events.js'
import type {Image} from '../model/image.js'
import type {PackageArtifact} from '../model/transport.js'
import {isMadeOfPackages} from './exactness.js'
import {planImage} from './to-image.js'

/**
 * What a configuration that was made of packages, and is not kept for that, will not come back as. It tells nothing but
 * of them; but engines and other tools spell it anew, or change a time or a version in it: then it is made again as it
 * was at first.
 */
export async function madeConfigReasons(image: Image, packages: readonly PackageArtifact[]): Promise<readonly Note[]> {
  const {config, layers} = image
  const top = packages.at(-1)?.keeps
  if (config === undefined || top === undefined || top.configDigest !== undefined || !isMadeOfPackages(image)) return []
  const diffIds = layers.map(({diffId}) => diffId).filter((diffId): diffId is Digest => diffId !== undefined)
  const made = packages.flatMap(({keeps}) => (keeps === undefined ? [] : [keeps.layer()]))
  // Squashed layers, which the plan has told.
  if (diffIds.length !== layers.length || made.length !== layers.length) return []
  const back: Image = {
    names: [],
    platform: top.platform,
    layers: made,
    warnings: [],
    close: () => Promise.resolve(),
  }
  const {draft} = await planImage(back, {})
  const [was, is] = [digestOf(config.bytes), digestOf(draft.config(diffIds).bytes)]
  if (was === is) return []
  const message = `The configuration ${was} is not spelt as transship makes it of these packages, and they do not keep it: converting back gives ${is}.`
  return [{code: 'config-not-kept', message, subject: image.names[0] ?? was}]
}
