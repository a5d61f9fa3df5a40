import {BatchLines, BatchWarnings, SILENT_BATCH, type BatchProgress} from './batch-progress.js'

/** Begins to show a batch: repainted on a terminal, else a line for each item. */
export async function startBatchProgress({
  mode,
  stream,
  verbose,
}: {
  readonly mode: 'live' | 'lines' | 'warnings' | 'silent'
  readonly stream: NodeJS.WriteStream
  readonly verbose: boolean
}): Promise<BatchProgress> {
  if (mode === 'silent') return SILENT_BATCH
  if (mode === 'warnings') return new BatchWarnings(stream)
  if (mode === 'lines') return new BatchLines(stream, {verbose})
  const {LiveBatch} = await import('./live-batch.js')
  return new LiveBatch(stream)
}
