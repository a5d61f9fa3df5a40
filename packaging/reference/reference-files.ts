import type {Config} from '@oclif/core'
import {TRANSPORTS} from '../../src/transports/catalog.js'
import {commandPages} from './command-page.js'
import {renderMan, renderManOverview} from './render-man.js'
import {renderIndex, renderMarkdown} from './render-markdown.js'

/** Everything that is made from the help of the commands, by its path in the checkout. */
export function referenceFiles(config: Config): ReadonlyMap<string, string> {
  const pages = commandPages(config)
  const {version, pjson} = config
  const description = typeof pjson['description'] === 'string' ? pjson['description'] : ''
  return new Map([
    ['docs/cli/index.md', renderIndex(pages)],
    ...pages.map((page) => [`docs/cli/${page.name.replaceAll(' ', '-')}.md`, renderMarkdown(page)] as const),
    ['man/transship.1', renderManOverview(pages, {version, description, transports: TRANSPORTS})],
    ...pages.map((page) => [`man/${page.slug}.1`, renderMan(page, pages, {version})] as const),
  ])
}
