# What recipe.sh and budget.sh begin with: the folders of their arguments DATA, BASE and FOLDER, and `keep`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$(cd "$1" && pwd)
base=$(cd "$2" && pwd)
mkdir -p "$3"
cd "$3"
export DENSECLI_WORKSPACE="$PWD/pool"

# keep FILE COMMAND: keep what a command prints, unless the file is there
keep() {
    if [ ! -e "$1" ]; then
        file=$1
        shift
        "$@" > "$file.part"
        mv "$file.part" "$file"
    fi
}
