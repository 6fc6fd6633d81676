/** A script as it stands in the source, where `$\{` is `${`: what would be a place for a value in a template is one of the shell's. */
export function shellText({ raw }: TemplateStringsArray): string {
  return raw.join('').replaceAll('$\\{', '${');
}
