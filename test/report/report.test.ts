import assert from 'node:assert/strict'
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {workPathBeside} from '../../src/disk/work-name.js'
import {UsageError} from '../../src/model/errors.js'
import {renderCsv} from '../../src/report/render-csv.js'
import {escapeHtml, renderHtml} from '../../src/report/render-html.js'
import {renderJson} from '../../src/report/render-json.js'
import {parseReportForm} from '../../src/report/report-form.js'
import {requireReportFile, writeReport} from '../../src/report/write-report.js'
import {HOSTILE_NAMES, hostileReport, largeReport} from '../helpers/batch-reports.js'
import {parseCsv} from '../helpers/parse-csv.js'
import {assertSchema, readSchemas} from '../helpers/schemas.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

/** Everything between tags, and every attribute value, of a page whose own tags are known. */
function tagsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map(([, name]) => name ?? ''))
}

const withoutInline = (html: string) => html.replace(/<style>[^]*?<\/style>/, '').replace(/<script>[^]*?<\/script>/, '')

describe('report', () => {
  const folder = temporaryFolder()

  it('removes what a killed run has left beside its file, and nothing of one that runs', async () => {
    const place = path.join(folder.path, 'left')
    await mkdir(place)
    const file = path.join(place, 'report.json')
    const running = workPathBeside(file)
    // A process that has this number now began later than that.
    const killed = `${running.slice(0, running.indexOf('.tmp-'))}.tmp-0123456789ab-${process.pid}-1-${running.slice(-8)}`
    for (const left of [running, killed]) await writeFile(left, '{')
    await writeReport(largeReport(2), file)
    assert.deepEqual((await readdir(place)).sort(), [path.basename(running), 'report.json'].sort())
  })

  for (const {file, form} of [
    {file: 'a.html', form: 'html'},
    {file: 'a/b.c/REPORT.HTML', form: 'html'},
    {file: 'a.json', form: 'json'},
    {file: 'a.b.csv', form: 'csv'},
  ]) {
    it(`takes ${file} for ${form}`, () => {
      assert.equal(parseReportForm(file), form)
    })
  }

  for (const file of ['a', 'a.htm', 'a.pdf', '.html', 'html', 'a.json.gz', '']) {
    it(`refuses '${file}', and names the forms`, async () => {
      const isRefusal = (error: unknown) => error instanceof UsageError && error.message.includes('.html, .json, .csv')
      assert.throws(() => parseReportForm(file), isRefusal)
      await assert.rejects(requireReportFile(file), isRefusal)
    })
  }

  it('tells a missing folder, and a folder in the place of the file, before the work', async () => {
    await assert.rejects(requireReportFile(path.join(folder.path, 'nosuch', 'a.html')), {code: 'NOT_FOUND'})
    await mkdir(path.join(folder.path, 'taken.html'))
    await assert.rejects(requireReportFile(path.join(folder.path, 'taken.html')), {code: 'UNRECOGNISED_FORMAT'})
  })

  it('replaces a report that was there, and leaves nothing beside it, also when it fails', async () => {
    const place = path.join(folder.path, 'written')
    await mkdir(path.join(place, 'taken.json'), {recursive: true})
    await writeFile(path.join(place, 'a.json'), 'old')
    await writeReport(largeReport(2), path.join(place, 'a.json'))
    assert.equal(await readFile(path.join(place, 'a.json'), 'utf8'), renderJson(largeReport(2)))
    await assert.rejects(writeReport(largeReport(2), path.join(place, 'taken.json')))
    assert.deepEqual((await readdir(place)).sort(), ['a.json', 'taken.json'])
  })

  for (const [form, render] of Object.entries({html: renderHtml, json: renderJson, csv: renderCsv})) {
    it(`gives the same bytes for the same report as ${form}`, () => {
      assert.equal(render(largeReport(60)), render(structuredClone(largeReport(60))))
    })
  }

  it('holds in JSON what the schema says', async () => {
    for (const report of [largeReport(0), largeReport(200), hostileReport('x')])
      await assertSchema('batch', JSON.parse(renderJson(report)))
  })

  it('has in its schema what the schema of convert has', async () => {
    const schemas = Object.fromEntries((await readSchemas()).map(({name, schema}) => [name, schema]))
    const {$schema: _, $id: __, $defs, ...convert} = schemas['convert'] ?? {}
    const {result, ...others} = schemas['batch']?.['$defs'] as Record<string, unknown>
    assert.deepEqual(result, convert)
    for (const [name, schema] of Object.entries($defs as object)) assert.deepEqual(others[name], schema, name)
  })

  describe('as a page', () => {
    const known = tagsOf(withoutInline(renderHtml(hostileReport('plain'))))

    for (const name of HOSTILE_NAMES) {
      it(`takes ${JSON.stringify(name)} for text everywhere`, () => {
        const page = withoutInline(renderHtml(hostileReport(name)))
        assert.deepEqual(tagsOf(page), known)
        assert.ok(!/\son[a-z]+=/i.test(page.replaceAll(/&#39;|&quot;/g, '').replaceAll(/>[^<]*</g, '><')))
        assert.doesNotMatch(page, /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/u)
        if (/[<>"&]/.test(name)) assert.ok(!page.includes(name), 'the name is there unescaped')
        assert.ok(page.includes(escapeHtml(name)))
      })
    }

    it('asks for nothing from elsewhere, and allows nothing but its own style and script', () => {
      const page = renderHtml(largeReport(20))
      assert.doesNotMatch(page, /\b(?:src|srcset|data|poster|action)="|@import|url\((?!#)|href="(?!#)/)
      assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/)
      assert.doesNotMatch(page, /unsafe-inline|<[a-z]+ [^>]*style=/)
    })

    it('is complete without its script: every item, its digests and its failure', () => {
      const report = largeReport(80)
      const page = withoutInline(renderHtml(report))
      for (const {id, before, result, failure} of report.items) {
        assert.ok(page.includes(escapeHtml(id)), id)
        for (const {imageId = ''} of before) assert.ok(page.includes(imageId))
        for (const {layers} of result?.artifacts ?? [])
          for (const {digest, diffId = ''} of layers) assert.ok(page.includes(digest) && page.includes(diffId))
        if (failure !== undefined) assert.ok(page.includes(escapeHtml(failure.what)))
      }
      assert.doesNotMatch(page, /undefined|NaN|\[object/)
    })

    it('says of an empty run that there was nothing to do', () => {
      assert.match(renderHtml(largeReport(0)), /The plan has no items/)
    })

    it('stays below four megabytes for 500 items', () => {
      const bytes = Buffer.byteLength(renderHtml(largeReport(500)))
      assert.ok(bytes < 4 * 2 ** 20, String(bytes))
    })
  })

  describe('as a table', () => {
    for (const name of HOSTILE_NAMES) {
      it(`never begins a cell like a formula, nor breaks a row, for ${JSON.stringify(name)}`, () => {
        const [header = [], ...rows] = parseCsv(renderCsv(hostileReport(name)))
        assert.ok(rows.length > 5)
        for (const row of rows) {
          assert.equal(row.length, header.length)
          for (const cell of row) assert.doesNotMatch(cell, /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/)
        }
        const ids = new Set(rows.map((row) => row[header.indexOf('item')]))
        assert.ok(ids.has(name) || ids.has(`'${name}`))
      })
    }

    it('has the facts of JSON: items, artifacts, layers and findings', () => {
      const report = largeReport(120)
      const [header = [], ...rows] = parseCsv(renderCsv(report))
      const count = (record: string) => rows.filter((row) => row[header.indexOf('record')] === record).length
      const results = report.items.flatMap(({result}) => result ?? [])
      const artifacts = results.flatMap((result) => result.artifacts)
      assert.deepEqual(['run', 'item', 'before', 'after', 'layer', 'loss', 'inexact', 'note', 'failure'].map(count), [
        1,
        report.items.length,
        report.items.flatMap(({before}) => before).length,
        artifacts.length,
        artifacts.flatMap(({layers}) => layers).length,
        report.totals.losses,
        results.flatMap(({inexact}) => inexact).length,
        results.flatMap(({notes}) => notes).length,
        report.totals.failed,
      ])
      assert.equal(new Set(header).size, header.length)
    })
  })
})
