"""A folder that a model server takes for a model of a published shape, without its weights:
    make_shape.py FOLDER opt-2.7b|qwen2.5-7b|llama-2-13b|opt-small
The architecture is as its authors published it (config.json on the model's page); the
vocabulary is as large as theirs, but its words are t0, t1, ... and mean nothing. The server
makes random weights itself (vLLM: --load-format dummy)."""
import sys

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, OPTConfig, PreTrainedTokenizerFast, Qwen2Config

SHAPES = {
    "opt-2.7b": ("OPTForCausalLM", OPTConfig(
        vocab_size=50272, hidden_size=2560, ffn_dim=10240, num_hidden_layers=32, num_attention_heads=32,
        max_position_embeddings=2048, word_embed_proj_dim=2560)),
    "qwen2.5-7b": ("Qwen2ForCausalLM", Qwen2Config(
        vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
        num_key_value_heads=4, max_position_embeddings=32768, rms_norm_eps=1e-6, tie_word_embeddings=False)),
    "llama-2-13b": ("LlamaForCausalLM", LlamaConfig(
        vocab_size=32000, hidden_size=5120, intermediate_size=13824, num_hidden_layers=40, num_attention_heads=40,
        max_position_embeddings=4096, rms_norm_eps=1e-5, tie_word_embeddings=False)),
    "opt-small": ("OPTForCausalLM", OPTConfig(  # nobody's: for a processor
        vocab_size=50272, hidden_size=256, ffn_dim=1024, num_hidden_layers=4, num_attention_heads=8,
        max_position_embeddings=2048, word_embed_proj_dim=256)),
}

folder, name = sys.argv[1:]
architecture, config = SHAPES[name]
config.architectures = [architecture]
config.dtype = "bfloat16"
config.save_pretrained(folder)
special = ["<s>", "<pad>", "</s>", "<unk>"]  # the last ones: random weights like to say 0, which must have a text
usual = config.vocab_size - len(special)
vocabulary = {token: i for i, token in enumerate([f"t{i}" for i in range(usual)] + special)}
words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
                        pad_token="<pad>").save_pretrained(folder)
