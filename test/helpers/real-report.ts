import path from 'node:path'
import {totalsOf, type BatchReport, type ItemReport} from '../../src/batch/batch-report.js'
import {convert} from '../../src/convert/convert.js'
import type {ConvertOptions} from '../../src/convert/options.js'
import {factsBefore} from '../../src/report/report-conversion.js'
import {PROJECT} from './snapshot.js'

/** The report of three conversions of the samples, which are done for it: a chain, a squash, a package to an image. */
export async function realReport(folder: string): Promise<BatchReport> {
  const archive = `docker-archive:${path.join(PROJECT, 'samples/shop.tar')}`
  const packages = `inbox:${path.join(PROJECT, 'samples/repository')}:Shop`
  const items: ItemReport[] = []
  const add = async (id: string, [source, destination]: readonly [string, string], options: ConvertOptions) => {
    const before = await factsBefore(source)
    const result = await convert(source, destination, options)
    const {seconds} = result
    items.push({id, source, destination, state: 'converted', after: [], before, result, attempts: 1, seconds})
  }
  await add('shop as a chain', [archive, `inbox:${path.join(folder, 'chain')}`], {layers: 'chain'})
  await add('shop squashed', [archive, `inbox:${path.join(folder, 'squashed')}`], {})
  await add('package as an image', [packages, `docker-archive:${path.join(folder, 'image.tar')}`], {})
  return {
    title: 'samples.yaml',
    startedTime: '2026-11-20T09:15:02.120Z',
    seconds: items.reduce((sum, {seconds}) => sum + seconds, 0),
    totals: totalsOf(items),
    items,
  }
}
