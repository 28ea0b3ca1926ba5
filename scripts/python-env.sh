#!/usr/bin/env bash
# Makes a Python environment with pinned packages; does nothing when it is already there.
#
#   scripts/python-env.sh          .venv: what the tests compare Salle with (onnx, onnxruntime, safetensors, tensorboard,
#                                  minari, h5py, pyarrow, pandas)
#   scripts/python-env.sh torch    .venv-torch: what the benchmarks compare it with (PyTorch; some 3 GB)
#   scripts/python-env.sh sb3      .venv-sb3: what the benchmark of training compares it with (Stable-Baselines3,
#                                  Gymnasium's MuJoCo robots and PyTorch; some 3 GB)
#
# Without python3 or its venv module it says so and makes nothing: outside CI the tests then skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-tests}" in
  tests)
    venv=.venv
    packages=(numpy==2.4.6 ml_dtypes==0.6.0 onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0 tensorboard==2.21.0
      minari==0.5.4 gymnasium==1.4.0 pillow==13.0.0 h5py==3.16.0 pyarrow==26.0.1 pandas==3.1.1)
    ;;
  torch)
    venv=.venv-torch
    packages=(numpy==2.4.6 torch==2.15.0)
    ;;
  sb3)
    venv=.venv-sb3
    packages=(numpy==2.4.6 torch==2.15.0 stable-baselines3==2.9.2 "gymnasium[mujoco]==1.4.0" mujoco==4.0.0)
    ;;
  *)
    echo "python-env: wanted \"tests\", \"torch\" or \"sb3\", got \"$1\"" >&2
    exit 2
    ;;
esac

stamp="$venv/salle-packages.txt"
if [[ -x "$venv/bin/python" && -f "$stamp" && "$(<"$stamp")" == "${packages[*]}" ]]; then
  echo "python-env: $venv is up to date (${packages[*]})"
  exit 0
fi
if ! command -v python3 >/dev/null; then
  echo "python-env: no python3 here; $venv is not made, tests that need it will skip"
  exit 0
fi
if ! python3 -c "import ensurepip, venv" 2>/dev/null; then
  echo "python-env: $(python3 --version) lacks venv (Debian: python3-venv); $venv is not made, tests that need it will skip"
  exit 0
fi

echo "python-env: making $venv with $(python3 --version): ${packages[*]}"
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "${packages[@]}"
echo "${packages[*]}" >"$stamp"
echo "python-env: made $venv"
