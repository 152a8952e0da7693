// The page's types as global names, so that each module may speak of them in its comments. Used by tsc alone.
type Dims = import("../../src/bptt/render/page/js/tensor.js").Dims;
type Sizes = import("../../src/bptt/render/page/js/tensor.js").Sizes;
type Tensor = import("../../src/bptt/render/page/js/tensor.js").Tensor;
type Expression = import("../../src/bptt/render/page/js/evaluate.js").Expression;
type Equation = import("../../src/bptt/render/page/js/network.js").Equation;
type Model = import("../../src/bptt/render/page/js/network.js").Model;
type Trace = import("../../src/bptt/render/page/js/network.js").Trace;
type Reach = import("../../src/bptt/render/page/js/contributions.js").Reach;
