import type {Transport} from './transport.js'

/** What is known of a transport without loading what speaks to the place. */
type Grammar = Pick<Transport, 'name' | 'grammar' | 'parse' | 'format'>

/** What reads, and what writes; each is imported when it is first needed. */
interface Parts {
  readonly source: () => Promise<{
    listImages: Transport['list']
    openImage: Transport['open']
    verifyImages: Transport['verify']
  }>
  /** Where there are indexes. */
  readonly index?: () => Promise<{openIndex: NonNullable<Transport['openIndex']>}>
  readonly destination: () => Promise<{createDestination: Transport['create']}>
}

/** A transport of images by their names, whose client takes a while to load: no run that does not use it pays for it. */
export function lazyTransport(grammar: Grammar, {source, index, destination}: Parts): Transport {
  return {
    ...grammar,
    // A name is no path.
    recognises: () => Promise.resolve(false),
    list: async (reference, options) => (await source()).listImages(reference, options),
    open: async (reference, options) => (await source()).openImage(reference, options),
    ...(index === undefined
      ? {}
      : {openIndex: async (reference, options) => (await index()).openIndex(reference, options)}),
    create: async (reference, options) => (await destination()).createDestination(reference, options),
    verify: async (reference, options) => (await source()).verifyImages(reference, options),
  }
}
