import { defineRenderer } from '@scratchyjs/renderer/worker'

/** Fails in the ways a page can fail, by the document's name. */
export default defineRenderer({
  render({ props }) {
    switch (props.path) {
      case 'throw':
        throw new Error('the password is "sesame"')
      case 'teapot':
        throw Object.assign(new Error('the password is "sesame"'), { statusCode: 418 })
      case 'crash':
        return process.exit(3)
      case 'hang':
        while (true);
    }
    return '<!doctype html>\n<title>Fine</title>\n'
  },
})
