import { shellText } from './shell-text.ts';

/** The completions of bash 3.2 and later, with the package bash-completion or without it. */
export const bashScript = shellText`# shannon-dash: completions for bash. Made by: shannon-dash completion bash

_shannon_dash() {
  COMPREPLY=()
  local program=$1 out line rest=
  case $program in '~/'*) program=$HOME/$\{program#'~/'} ;; esac
  # An alias is no program.
  type -P "$program" >/dev/null || program=shannon-dash
  out=$("$program" complete --bash "$COMP_TYPE" "$COMP_WORDBREAKS" -- "$\{COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null) || return 0
  while IFS= read -r line; do
    case $line in
      '') ;;
      $'\t'*) rest=$\{line#?} ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done <<<"$out"
  case $rest in
    files) [[ $\{#COMPREPLY[@]} -gt 0 ]] || _shannon_dash_files -f -o default ;;
    folders) [[ $\{#COMPREPLY[@]} -gt 0 ]] || _shannon_dash_files -d -o dirnames ;;
    'program '*) _shannon_dash_program "$\{rest#program }" ;;
    *) type compopt >/dev/null 2>&1 && compopt -o nosort 2>/dev/null ;;
  esac
  return 0
}

# Leaves file names to readline, which quotes them; bash before 4.0 cannot be told so.
_shannon_dash_files() {
  local kind=$1 line
  shift
  if type compopt >/dev/null 2>&1; then
    compopt "$@"
  else
    while IFS= read -r line; do COMPREPLY+=("$line"); done <<<"$(compgen "$kind" -- "$\{COMP_WORDS[COMP_CWORD]}")"
  fi
}

# The line of another program, which begins at that character.
_shannon_dash_program() {
  local before=$COMP_LINE index=0 line
  while [[ $index -lt $COMP_CWORD ]]; do
    [[ $(($\{#COMP_LINE} - $\{#before})) -ge $1 ]] && break
    before=$\{before#*"$\{COMP_WORDS[index]}"}
    before=$\{before#"$\{before%%[![:space:]]*}"}
    index=$((index + 1))
  done
  if type _comp_command_offset >/dev/null 2>&1; then
    _comp_command_offset "$index"
  elif type _command_offset >/dev/null 2>&1; then
    _command_offset "$index"
  elif [[ $index -eq $COMP_CWORD && $\{COMP_WORDS[COMP_CWORD]} != */* ]]; then
    while IFS= read -r line; do [[ -n $line ]] && COMPREPLY+=("$line"); done <<<"$(compgen -c -- "$\{COMP_WORDS[COMP_CWORD]}")"
  else
    _shannon_dash_files -f -o default
  fi
}

complete -F _shannon_dash shannon-dash
`;
