import {rmSync} from 'node:fs'
import {openRegular} from '../../disk/safe-open.js'
import type {Content} from '../../model/content.js'
import {PayloadFile} from './carrier-file.js'
import {CarrierOutput, type CarrierOutputOptions} from './carrier-output.js'
import {DiskFile} from './folder-files.js'

/** Content that waits in a file of its own until its place in the carrier comes. */
export interface SpooledContent {
  readonly content: Content
  /** Removes the file. */
  close(): void
}

/** Reads content into the new file `spool`, holes left as holes, and gives it out again. */
export async function spoolContent(
  content: Content,
  spool: string,
  {limit, signal}: Pick<CarrierOutputOptions, 'limit' | 'signal'>,
): Promise<SpooledContent> {
  let file: PayloadFile | undefined
  const close = () => {
    try {
      file?.close()
    } finally {
      rmSync(spool, {force: true})
    }
  }
  // Outside of `try`: a file that was there before is not this one's to remove.
  const output = new CarrierOutput(spool, {place: spool, limit, signal})
  try {
    try {
      await output.content(content, content.size, undefined)
      output.end()
    } finally {
      output.close()
    }
    file = new PayloadFile(new DiskFile(() => openRegular(spool), spool), content.size, {place: spool, limit, signal})
    return {content: file.whole(content.ranges), close}
  } catch (error) {
    close()
    throw error
  }
}
