# rolecall completion for bash. Load it with: source rolecall.bash
_rolecall() {
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} word taken= value
    word=${line##*[[:blank:]]}
    # bash counts what stands before a : or = as an earlier word, so offer only what follows it
    [[ -n $breaks ]] && taken=${word%"${word##*[$breaks]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        COMPREPLY+=("${value#"$taken"}")
    done < <(_ROLECALL_COMPLETE=$line "$1" 2>/dev/null)
}
complete -o default -F _rolecall rolecall
