#compdef rolecall
# rolecall completion for zsh. Install it as _rolecall in a folder of $fpath, or source it.
_rolecall() {
    local -a offers
    local line value
    for line in ${(f)"$(_ROLECALL_COMPLETE="${(j: :)words[1,CURRENT-1]} $PREFIX" \
            ${words[1]} 2>/dev/null)"}; do
        value=${line%%$'\t'*}
        offers+=("${value//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#offers} )); then
        _describe -V rolecall offers
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rolecall "$@"
else
    compdef _rolecall rolecall
fi
